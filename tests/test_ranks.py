"""Ranks: processes that torchrun starts, what they measure together, and how they end.

Each starts a torch of its own, which takes seconds: what a run shows is asked of it together.
"""

import os
import random
import re
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest
import torch.distributed as dist

from bench import bench_ranks
from bench.bench_ranks import launch
from tests.commands import ROOT, command, ended
from zipnet import engines
from zipnet.engines import parallel
from zipnet.errors import UserError
from zipnet.recipe import KARPATHY_1989
from zipnet.results.collect import collect
from zipnet.results.schema import QUESTIONS

RANKS = "bench.measuring.ranks"
SHORT = ("tests.short_ranks", "--profile", "full", "--digits", "fonts")
MINUTE = 60.0
SLOW = 300.0  # seconds: a test machine that others use may take minutes to load torch


def start(*arguments, inside=None, **environment):
    """A process; inside: of a network namespace."""
    there = ["ip", "netns", "exec", inside] if inside else []
    return subprocess.Popen(
        [*there, *command(*arguments)], cwd=ROOT, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def until(found, seconds=SLOW):
    """What a question brings, asked until it brings something."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"nothing after {seconds:g} s"
        time.sleep(0.05)
    return value


def read(folder):
    """The one file below a folder, as a reader takes it."""
    runs = collect([str(folder)])
    assert not runs.bad
    (run,) = runs.runs
    return runs, run


def test_two_ranks_keep_the_laws():
    """The whole contract, batches that two ranks cannot share out evenly or at all included."""
    laws = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/test_engine_laws.py")
    torchrun = ("torch.distributed.run", "--standalone", "--nproc-per-node=2")
    run = start(*torchrun, *laws, ZIPNET_LAWS="parallel-cpu")
    out, _ = ended(run, 3 * SLOW)
    assert run.returncode == 0, out
    assert out.count(" passed") == 2, out


@pytest.fixture(scope="module")
def two():
    """Two ranks that measured all that they ever measure, briefly."""
    done = launch("cpu", "smoke", "fonts")
    assert done.broke is None, done.broke
    return done


def test_worlds_of_one_and_two_are_measured_in_one_run(two):
    asked = {(name, world) for name in QUESTIONS if name.startswith("ranks-") for world in (1, 2)}
    assert set(two.rows) == asked - {("ranks-all-reduce", 1)} == set(bench_ranks.ROWS)
    assert not two.absent


def test_rows_say_who_took_part_and_with_how_many_threads(two):
    for (_, world), row in two.rows.items():
        about = row.extra_info
        assert (about.world, about.hosts, about.ranks_a_host) == (world, 1, world)
        assert (about.backend, about.device) == ("gloo", "cpu")
        assert about.threads == max(1, parallel.cores() // 2)
        assert len(about.laps) == len(about.watch)


def test_every_step_was_held_to_the_reference_and_every_network_learned(two):
    for world in (1, 2):
        verified = two.rows["ranks-full-batch", world].extra_info.verified
        assert verified.param_distance <= verified.tolerance
        trained = two.rows["ranks-replicas", world].extra_info
        assert len(trained.replica_misses) == trained.replicas
        assert trained.replicas % world == 0
    # A network of one seed ends as it does alone, whichever rank trained it.
    one, both = (two.rows["ranks-replicas", n].extra_info.replica_misses for n in (1, 2))
    assert both[: len(one)] == one


def running(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def saved(agent):
    """Whether the run of a torchrun has saved a row, and its ranks."""
    told = agent.cmdline()
    folder = Path(told[told.index("--results") + 1])
    return agent.children() if list(folder.glob("*/*.json")) else None


def kill_one_rank(killed):
    """Of this process's only torchrun, a random one at a random moment after its first row."""
    (agent,) = until(lambda: [p for p in psutil.Process().children() if RANKS in p.cmdline()])
    ranks = until(lambda: saved(agent))
    time.sleep(random.uniform(0, 2))
    random.choice(ranks).kill()
    killed.append(time.monotonic())


def test_a_rank_that_is_killed_ends_the_run_within_a_minute_and_loses_no_lap():
    killed = []
    killer = threading.Thread(target=kill_one_rank, args=(killed,))
    killer.start()
    done = launch("cpu", "full", "fonts")
    killer.join()
    assert time.monotonic() - killed[0] < MINUTE
    assert re.fullmatch("the run of ranks broke off, code 1: .*rank.*", done.broke)
    assert "\n" not in done.broke
    assert done.rows
    for row in done.rows.values():
        assert sum(row.extra_info.laps) == len(row.stats.data)


def test_ranks_end_with_torchrun_and_leave_a_file_of_what_they_had(tmp_path):
    run = start(*SHORT, "--results", str(tmp_path))
    ranks = until(lambda: saved(psutil.Process(run.pid)))
    run.kill()
    until(lambda: not any(map(running, ranks)), MINUTE)
    out, _ = ended(run)
    news = [line for line in out.splitlines() if "compiling" not in line]
    assert news == ["zipnet: torchrun is gone, and its ranks end with it"]
    found, file = read(tmp_path)
    assert file.about.status == "interrupted"
    assert len(found.rows[found.rows.sound]) >= 1


@pytest.fixture
def hosts():
    """Two network namespaces, joined by a virtual cable between their interfaces `cable`."""
    names = [f"zipnet-{os.getpid()}-{host}" for host in (0, 1)]
    try:
        for name in names:
            ip("netns", "add", name)
        far = ("peer", "name", "cable", "netns", names[1])
        ip("link", "add", "cable", "netns", names[0], "type", "veth", *far)
        for host, name in enumerate(names):
            ip("-n", name, "address", "add", f"10.89.0.{1 + host}/24", "dev", "cable")
            for link in ("cable", "lo"):
                ip("-n", name, "link", "set", link, "up")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespaces can be made here: {error}")
    else:
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def runs(hosts, tmp_path):
    """A rank on each of two hosts, after the first saved what it measured below its name."""
    started = []
    try:
        for host, name in enumerate(hosts):
            there = (
                "--nproc-per-node=1", "--nnodes=2", f"--node-rank={host}",
                f"--local-addr=10.89.0.{1 + host}", "--master-addr=10.89.0.1",
                "--master-port=29501",
            )  # fmt: skip
            asked = ("--patience", "20", "--results", str(tmp_path / name))
            cable = {"GLOO_SOCKET_IFNAME": "cable"}
            started.append(start(*SHORT, *there, *asked, inside=name, **cable))
        until(lambda: list(tmp_path.glob("*/*/*.json")) or any(run.poll() for run in started))
        yield started
    finally:
        for run in started:
            run.kill()
            ended(run)


def one_line(run):
    """All that a run says but for what sockets warn of: one line in a minute, and exit code 1."""
    began = time.monotonic()
    text, _ = ended(run)
    assert time.monotonic() - began < MINUTE
    assert run.returncode == 1, text
    news = [line for line in text.splitlines() if "socket.cpp" not in line]
    assert len(news) == 1, text
    return news[0]


def keeps_what_it_had(folder):
    """The file of two hosts' run that broke off."""
    found, _ = read(folder)
    shown = found.rows[found.rows.sound]
    assert len(shown) >= 1
    assert set(shown.hosts) <= {1, 2}
    return found.files.status[0]


def test_when_the_network_goes_both_hosts_end_within_a_minute_and_keep_what_they_had(
    hosts, runs, tmp_path
):
    ip("-n", hosts[1], "link", "set", "cable", "down")
    for line in map(one_line, runs):
        assert line.startswith("zipnet: a rank, its host or the network does not answer")
    assert keeps_what_it_had(tmp_path / hosts[0]) == "interrupted"


@pytest.mark.parametrize("lost", [0, 1])
def test_when_a_host_dies_the_other_ends_within_a_minute_and_the_file_keeps_what_it_had(
    hosts, runs, lost, tmp_path
):
    """Every process of a host at once, its torchrun first; the file lies on the first host."""
    agent = psutil.Process(runs[lost].pid)
    for process in [agent, *agent.children(recursive=True)]:
        process.kill()
    assert one_line(runs[1 - lost]).startswith("zipnet: a rank, its host or the network ")
    assert keeps_what_it_had(tmp_path / hosts[0]) == "interrupted"


def test_two_hosts_that_do_not_find_each_other_are_told_all_that_it_takes(monkeypatch):
    told = {"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", "WORLD_SIZE": "2", "GROUP_WORLD_SIZE": "2"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    def fail(**_):
        raise RuntimeError("gloo: no address of this host")

    monkeypatch.setattr(dist, "init_process_group", fail)
    with pytest.raises(UserError) as error:
        parallel.join("cpu")
    for remedy in ("resolves", "--local-addr", "GLOO_SOCKET_IFNAME", "no address of this host"):
        assert remedy in str(error.value)


def test_outside_of_torchrun_the_engine_says_what_it_takes():
    reason = engines.why_not("parallel", KARPATHY_1989, "cpu")
    assert "torchrun" in reason
    with pytest.raises(engines.Unavailable, match="several ranks"):
        engines.make("parallel", KARPATHY_1989, "cpu")
    assert engines.fastest(KARPATHY_1989, "cpu") != "parallel"
