"""pytest --benchmark-only, as a person runs it: what it saves, and what nothing can take away."""

import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest_benchmark.session import BenchmarkSession

from bench.measuring import draft, harness, plugin
from bench.measuring.harness import WARMING, Timed
from bench.measuring.interrupts import ENDINGS
from bench.measuring.profiles import PROFILES
from bench.measuring.progress import BY_WORTH
from tests.commands import (
    ROOT,
    assert_one_line_and_exit_code_2,
    born_with_sigint,
    command,
    ended,
    run,
    run_here,
)
from zipnet.cpu import cores
from zipnet.engines import trial
from zipnet.results.collect import collect
from zipnet.results.schema import Watch

PROFILE = "smoke"
# Digits that need no network and no data folder.
MEASURE = ("pytest", "--benchmark-only", "--profile", PROFILE, "--digits", "fonts")


@pytest.fixture(autouse=True)
def untried(monkeypatch):
    """Sessions in this process take engines at their word: test_trial.py has them tried."""
    monkeypatch.setattr(trial, "failure", lambda *_: None)


def measure(results, *arguments):
    return run_here(*MEASURE, f"--results={results}", *arguments)


def findings(path):
    """Everything that the checker says of a file."""
    runs = collect([str(path)])
    return [*runs.bad, *runs.runs[0].findings, *runs.excluded(runs.runs[0])]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What `bench node` does with one engine: its laws, then a whole session, then the check."""
    results = tmp_path_factory.mktemp("results")
    chosen = ("--devices", "cpu", "--engines", "eager", "--profile", PROFILE, "--minutes", "60")
    done = run("bench", "node", *chosen, "--results", str(results), timeout=3600)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = results.glob("*/*.json")
    return done, path


def test_a_node_holds_the_laws_then_measures_then_checks(measured):
    done, path = measured
    told = [line for line in done.stdout.splitlines() if line.startswith("node: ")]
    assert told[0].startswith("node: eager on cpu, digits: ")
    assert [line.partition(",")[0] for line in told[5:-1:2]] == [
        "node: laws of eager: ok",
        "node: benchmarks: ok",
        "node: check: ok",
    ]
    assert told[-1] == f"node: bring home {path}"
    assert json.loads(path.read_text())["options"]["engines"] == ["eager"]


def test_rows_go_by_worth_and_what_is_slow_to_compile_last():
    listed = measure(
        "unused", "--collect-only", "-q", "--engines", "eager,compiled", "--devices=cpu"
    )
    rows = [line for line in listed.stdout.splitlines() if "::" in line]
    files = [row.partition("::")[0].removeprefix("bench/") for row in rows if "compiled" not in row]
    assert list(dict.fromkeys(files)) == [f"{n}.py" for n in BY_WORTH if f"{n}.py" in files]
    slow = ["compiled" in row for row in rows]
    assert slow == sorted(slow)
    assert any(slow)
    assert not any("NOTSET" in row for row in rows)


def test_a_session_without_time_ends_well_with_what_it_has_and_says_what_it_left_out(tmp_path):
    few = ("-k", "floor or synced_step", "--devices", "cpu", "--engines", "eager", "--threads", "1")
    done = measure(tmp_path, *few, "--within", "1e-9")
    assert done.returncode == 0, done.stdout
    assert not list(tmp_path.rglob("*.json"))
    session = SimpleNamespace(each=2.0, rounds=[3, 2, 1])
    assert Timed.later.fget(session) == pytest.approx(2.0 * 3 + 2 * WARMING)


def test_the_file_says_what_results_readme_promises(measured):
    _, path = measured
    about = json.loads(path.read_text())
    assert about["schema"] == 2
    assert about["status"] == "complete"
    assert about["profile"] == PROFILE
    assert about["workload"]["step_macs"] == 171_780
    assert about["dataset"]["name"] in ("usps", "fonts")  # those at hand
    questions = {row["extra_info"]["question"] for row in about["benchmarks"]}
    assert {"sgd-synced", "sgd-queued", "fullbatch", "sweep", "inference-one"} <= questions
    assert {f"floor-{f}" for f in ("empty", "sync", "launch", "copy-digit", "gemm")} <= questions
    assert {"first-step-cold", "floor-fma", "floor-read-l1"} <= questions
    for row in about["benchmarks"]:
        assert row["stats"]["iterations"] == 1
        assert len(row["stats"]["data"]) == row["stats"]["rounds"] >= 1
        laps = row["extra_info"]["laps"]
        assert sum(laps) == row["stats"]["rounds"]
        assert len(laps) == len(row["extra_info"]["watch"]) == min(2, row["stats"]["rounds"])
    (cold,) = [r["extra_info"] for r in about["benchmarks"] if r["group"] == "first-step-cold"]
    assert set(cold["phases"]) == {"import", "compile", "step"}
    steps = [r["extra_info"] for r in about["benchmarks"] if r["group"] == "sgd-queued"]
    assert all(row["verified"]["param_distance"] < 2e-5 for row in steps)


def test_the_checker_finds_nothing_wrong_with_it(measured):
    assert findings(measured[1]) == []


def test_a_training_over_the_limit_is_absent_with_its_reason(measured):
    absent = json.loads(measured[1].read_text())["absent"]
    trainings = [a["reason"] for a in absent if a["question"] == "training"]
    assert trainings
    assert all("--train-limit" in reason for reason in trainings)


def test_the_terminal_shows_progress_and_a_headline(measured):
    out = measured[0].stdout
    assert f"synced_step[eager-cpu-threads={cores()}]" in out
    assert "per digit" in out
    assert "to go" in out
    assert "SUN-4/260" in out
    assert "python -m bench report" in out
    assert str(measured[1].name) in out


def test_the_file_names_no_host_no_user_and_no_path(measured):
    text = measured[1].read_text()
    assert socket.gethostname() not in text
    assert str(Path.home()) + os.sep not in text
    assert str(ROOT) not in text


def test_pytest_benchmarks_own_compare_still_reads_it(measured):
    compare = Path(sys.executable).with_name("pytest-benchmark")
    done = subprocess.run(
        [compare, "--storage", str(measured[1].parent.parent), "compare", str(measured[1])],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "bench_full_batch" in done.stdout


def measure_text(tmp_path, text):
    """A session of the benchmarks in a file of this text: the process, and what it saved."""
    (tmp_path / "bench_text.py").write_text(text)
    # Loaded by a conftest, as in the project: the order of hooks depends on it.
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["bench.measuring.plugin"]\n')
    done = measure(tmp_path / "results", str(tmp_path / "bench_text.py"), "-c", "pyproject.toml")
    (path,) = (tmp_path / "results").glob("*/*.json")
    return done, json.loads(path.read_text())


def test_a_benchmark_that_fails_leaves_no_row(tmp_path):
    done, about = measure_text(
        tmp_path,
        "from zipnet.results.schema import Row\n"
        "def bench_good(bench):\n"
        "    bench.measure(lambda: None, Row(question='floor-empty', device='cpu'), lambda: None)\n"
        "def bench_strays(bench):\n"
        "    bench.measure(lambda: None, Row(question='floor-sync', device='cpu'), lambda: None)\n"
        "    assert False, 'found out after the clock'\n",
    )
    assert done.returncode == 1
    assert [row["name"] for row in about["benchmarks"]] == ["bench_good"]
    (absent,) = [a for a in about["absent"] if a["question"]]
    assert absent["question"] == "bench_strays"
    assert "found out after the clock" in absent["reason"]
    assert about["scope"] == "part"


@pytest.mark.parametrize("lap", ["first", "later"])
def test_ctrl_c_before_a_first_clock_or_with_a_file_half_open_still_saves(tmp_path, lap):
    """The file is never closed; that is no failure of the session."""
    done, about = measure_text(
        tmp_path,
        "import os\n"
        "from zipnet.results.schema import Row\n"
        "def bench_good(bench):\n"
        "    bench.measure(lambda: None, Row(question='floor-empty', device='cpu'), lambda: None)\n"
        "def bench_stopped(bench):\n"
        "    def step():\n"
        f"        if {lap == 'first'} or bench.timed.values:\n"
        "            open(os.devnull)\n"
        "            raise KeyboardInterrupt\n"
        "    bench.measure(step, Row(question='floor-sync', device='cpu'), lambda: None)\n",
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert about["status"] == "interrupted"
    assert "bench_good" in [row["name"] for row in about["benchmarks"]]


GOOD = (
    "from zipnet.results.schema import Row\n"
    "def bench_{0}(bench):\n"
    "    bench.measure(lambda: None, Row(question='floor-empty', device='cpu'), lambda: None)\n"
)
SILENT = "def pytest_collection_modifyitems(items):\n    items[:] = items[:2]\n"
SKIPPING = (
    "import pytest\n"
    "def pytest_collection_modifyitems(items):\n"
    "    items[0].add_marker(pytest.mark.skip(reason='too slow today'))\n"
)


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A folder of three benchmarks in two files, which is all that a whole run goes through."""
    folder = tmp_path / "bench"
    folder.mkdir()
    (folder / "bench_one.py").write_text(GOOD.format("first") + GOOD.format("second"))
    (folder / "bench_two.py").write_text(GOOD.format("third"))
    (folder / "conftest.py").write_text('pytest_plugins = ["bench.measuring.plugin"]\n')
    monkeypatch.setattr(plugin, "BENCHMARKS", folder)
    yield folder
    for name in ("bench_one", "bench_two"):  # the next session's have the same names
        sys.modules.pop(name, None)


def session(house, *arguments):
    """A session of the house: the process, and what it saved."""
    before = set(house.parent.glob("r/*/*.json"))
    own = ("-c", "pyproject.toml", "--rootdir", str(house), "-o", f"cache_dir={house}/cache")
    done = measure(house.parent / "r", *own, *arguments)
    (path,) = set(house.parent.glob("r/*/*.json")) - before
    assert findings(path) == []
    return done, json.loads(path.read_text())


def plug(house, text):
    (house / "conftest.py").write_text((house / "conftest.py").read_text() + text)


@pytest.mark.parametrize(
    ("plugin_text", "arguments", "rows", "scope"),
    [
        ("", "{0} -k first", 1, "part"),
        ("", "{0} --ignore-glob={0}/*two*", 2, "part"),
        ("", "{0} --deselect=bench_two.py", 2, "part"),
        ("", "{0} --lf", 1, "part"),
        ("", "{0}/bench_one.py", 2, "part"),
        ("", "{0}/bench_one.py {0}/bench_two.py::bench_third", 3, "all"),
        (SILENT, "{0}", 2, "part"),
        (SKIPPING, "{0}", 2, "part"),
        ("", "{0} --engines=eager", 3, "part"),
        ("", "{0}", 3, "all"),
    ],
)
def test_the_scope_follows_from_what_was_run(house, plugin_text, arguments, rows, scope):
    plug(house, plugin_text)
    cache = house / "cache" / "v" / "cache" / "lastfailed"
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps({"bench_one.py::bench_second": True}))
    done, about = session(house, *arguments.format(house).split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert (len(about["benchmarks"]), about["scope"]) == (rows, scope)


AGAIN = """
from _pytest.runner import runtestprotocol
def pytest_runtest_protocol(item, nextitem):
    "As pytest-rerunfailures runs a test again: its report is called a rerun, until the last."
    for attempt in range(3):
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if attempt == 2 or not any(report.failed for report in reports):
            break
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
FLAKY = (
    "from zipnet.results.schema import Row\n"
    "tries = []\n"
    "def bench_flaky(bench):\n"
    "    bench.measure(lambda: None, Row(question='floor-empty', device='cpu'), lambda: None)\n"
    "    tries.append(1)\n"
    "    assert len(tries) > 2, 'not yet'\n"
    "def bench_never(bench):\n"
    "    assert False, 'never'\n"
)


def test_a_benchmark_that_passes_when_run_again_has_a_row_and_is_not_absent(house):
    plug(house, AGAIN)
    (house / "bench_two.py").write_text(FLAKY)
    done, about = session(house, str(house))
    assert done.returncode == 1, done.stdout + done.stderr
    assert [row["name"] for row in about["benchmarks"]] == [
        "bench_first", "bench_second", "bench_flaky",
    ]  # fmt: skip
    assert [a["question"] for a in about["absent"] if a["question"]] == ["bench_never"]
    assert about["scope"] == "part"


def test_a_disturbed_lap_stays_in_the_file_beside_the_one_that_counts(house, monkeypatch):
    monkeypatch.setitem(PROFILES, PROFILE, replace(PROFILES[PROFILE], retakes=1))
    watches = itertools.cycle([Watch(seconds=9.0, other_cpu_seconds=9.0), Watch(seconds=9.0)])
    monkeypatch.setattr(harness, "Watching", lambda: SimpleNamespace(ended=lambda: next(watches)))
    done, about = session(house, f"{house}/bench_two.py")
    assert "[again] 1 rows: somebody else had the cores" in done.stdout
    (row,) = about["benchmarks"]
    assert [aside["lap"] for aside in row["extra_info"]["retaken"]] == [1, 2]
    assert row["stats"]["rounds"] == len(row["stats"]["data"]) == sum(row["extra_info"]["laps"])


def test_a_clock_that_is_set_back_meanwhile_drops_no_file(house, monkeypatch):
    class Clock(datetime):
        given = itertools.count()

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - next(cls.given) * timedelta(days=1)

    monkeypatch.setattr(draft, "datetime", Clock)
    _, about = session(house, f"{house}/bench_two.py")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(about["datetime"])) < timedelta(hours=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--benchmark-compare"], ["--benchmark-compare ", "python -m bench compare"]),
        (["--benchmark-compare=0001"], ["--benchmark-compare ", "python -m bench compare"]),
        (["--benchmark-compare-fail=mean:5%"], ["-compare-fail ", "--fail-if-slower"]),
        (["--benchmark-json={}/no/x.json"], ["--benchmark-json", "x.json", "No such file"]),
        (["--benchmark-json={}"], ["--benchmark-json", "s a directory"]),
        (["--benchmark-histogram"], ["--benchmark-histogram ", "python -m bench report"]),
        (["--benchmark-sort=name"], ["--benchmark-sort ", "--benchmark-verbose"]),
        (["--benchmark-columns=min,max"], ["--benchmark-columns ", "--benchmark-verbose"]),
        (["--benchmark-timer=time.monotonic"], ["--benchmark-timer ", "--profile"]),
        (["--benchmark-min-rounds=9"], ["--benchmark-min-rounds ", "--profile"]),
        (["--benchmark-warmup=on"], ["--benchmark-warmup ", "--profile"]),
        (["--benchmark-disable-gc"], ["--benchmark-disable-gc ", "--profile"]),
        (["--benchmark-cprofile=tottime"], ["--benchmark-cprofile ", "cProfile"]),
        (["--benchmark-cprofile-top=3"], ["--benchmark-cprofile-top ", "cProfile"]),
    ],
)
def test_what_pytest_benchmark_would_do_otherwise_is_refused_at_once(tmp_path, arguments, words):
    arguments = [argument.format(tmp_path) for argument in arguments]
    done = measure(tmp_path / "r", "bench/bench_floor.py", *arguments)
    assert_one_line_and_exit_code_2(done, *words)
    assert not (tmp_path / "r").exists()


def test_what_pytest_benchmark_does_well_it_does(house):
    json_file, store = house.parent / "theirs.json", house.parent / "store"
    json_file.write_text("earlier")
    table = ("--benchmark-verbose", "--benchmark-sort=name", "--benchmark-columns=median,rounds")
    theirs = (f"--benchmark-json={json_file}", "--benchmark-save=x", f"--benchmark-storage={store}")
    done, about = session(house, str(house), *table, *theirs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Median" in done.stdout
    assert "StdDev" not in done.stdout
    assert len(json.loads(json_file.read_text())["benchmarks"]) == len(about["benchmarks"]) == 3
    assert len(list(store.glob("*/0001_x.json"))) == 1


def test_a_file_that_pytest_benchmark_cannot_write_at_the_end_costs_nothing_else(
    house, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(BenchmarkSession, "save_json", full)
    done, about = session(house, str(house), f"--benchmark-json={house.parent}/theirs.json")
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr
    assert "No space left" in done.stderr
    assert len(about["benchmarks"]) == 3


def test_benchmarks_without_benchmark_only_are_skipped_and_said_how_to_run(tmp_path):
    done = run_here("pytest", "-q", "bench/bench_floor.py")
    assert done.returncode == 0, done.stdout
    assert "benchmarks were not run: they run under: pytest --benchmark-only" in done.stdout
    assert "error" not in done.stdout.lower()


@pytest.mark.serial  # it takes every core
def test_a_run_beside_a_busy_loop_on_every_core_is_flagged_row_by_row(tmp_path):
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores())]
    try:
        # Laps of many ticks of the kernel's counters: on shorter ones nobody is blamed.
        done = measure(tmp_path, "--profile=quick", "bench/bench_sgd.py", "--engines", "eager")
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = tmp_path.glob("*/*.json")
    rows = collect([str(path)]).columns
    assert len(rows["quality"]) > 0
    assert all("busy: " in quality for quality in rows["quality"])
    assert all(rows["forbidden"])


# What these tests ask of a session, rows of microseconds show as well as the others.
SHORT_ROWS = ("bench/bench_floor.py", "-k", "empty or sync or launch", "--engines", "eager")
SHORT = 5


def begin(results, wait_for):
    """Start measuring and return the process once it has shown `wait_for`."""
    # A shell's background jobs are born deaf to Ctrl-C; ours must hear it.
    with born_with_sigint(signal.SIG_DFL):
        process = subprocess.Popen(
            command(*MEASURE, f"--results={results}", *SHORT_ROWS),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    seen = ""
    while wait_for not in seen:
        character = process.stdout.read(1)
        assert character, seen
        seen += character
    return process


def interrupted(process, ending, folder):
    """What a session saved that a signal ended: a sound file that says so."""
    process.send_signal(ending)
    out, _ = ended(process)
    assert process.returncode == 2, out
    (path,) = folder.glob("*/*.json")
    about = json.loads(path.read_text())
    assert about["status"] == "interrupted"
    assert findings(path) == []
    return about


@pytest.mark.parametrize("ending", ENDINGS[1:])
def test_a_schedulers_end_and_a_terminals_are_heard_as_ctrl_c_is(tmp_path, ending):
    done, about = measure_text(
        tmp_path,
        "import signal\n" + GOOD.format("good") + "def bench_stopped(bench):\n"
        f"    stop = lambda: signal.raise_signal({int(ending)})\n"
        "    bench.measure(stop, Row(question='floor-sync', device='cpu'), lambda: None)\n",
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert about["status"] == "interrupted"
    assert "bench_good" in [row["name"] for row in about["benchmarks"]]


def test_ctrl_c_saves_what_was_measured_and_says_so(tmp_path):
    process = begin(tmp_path, wait_for="[  3/")
    about = interrupted(process, signal.SIGINT, tmp_path)
    assert 1 <= len(about["benchmarks"]) < SHORT


def test_an_end_in_a_later_lap_keeps_every_row_with_the_laps_it_has(tmp_path):
    process = begin(tmp_path, wait_for="[lap 2/")
    about = interrupted(process, signal.SIGTERM, tmp_path)
    assert len(about["benchmarks"]) == SHORT
    assert {len(row["extra_info"]["laps"]) for row in about["benchmarks"]} <= {1, 2}


def test_a_row_that_fails_in_a_later_lap_is_left_out_and_the_others_stay(tmp_path):
    done, about = measure_text(
        tmp_path,
        "from zipnet.results.schema import Row\n"
        "entered = []\n"
        "def again():\n"
        "    entered.append(1)\n"
        "    assert len(entered) < 3, 'found out in the second lap'\n"
        "def bench_late(bench):\n"
        "    bench.measure(lambda: None, Row(question='floor-empty', device='cpu'), again)\n"
        "def bench_good(bench):\n"
        "    bench.measure(lambda: None, Row(question='floor-sync', device='cpu'), lambda: None)\n",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert [row["name"] for row in about["benchmarks"]] == ["bench_good"]
    assert about["scope"] == "part"
    (absent,) = [a for a in about["absent"] if a["question"]]
    assert absent["question"] == "floor-empty"
    assert "found out in the second lap" in absent["reason"]


# Each kill takes some seconds: a few for every run of the tests, ZIPNET_KILLS=200 for a proof.
KILLS = int(os.environ.get("ZIPNET_KILLS", "2"))


@pytest.mark.parametrize("kill", range(KILLS))
def test_kill_9_leaves_earlier_files_intact_and_no_half_file(measured, tmp_path, kill):
    """At any moment of a run, every other time within the second in which the file is saved."""
    folder = tmp_path / measured[1].parent.name
    folder.mkdir()
    earlier = folder / measured[1].name
    earlier.write_bytes(measured[1].read_bytes())
    chance = random.Random(kill)
    process = begin(tmp_path, wait_for="[lap 2/" if kill % 2 else "[  1/")
    time.sleep(chance.uniform(0.0, 1.5 if kill % 2 else 3.0))
    process.kill()
    process.communicate()
    assert earlier.read_bytes() == measured[1].read_bytes()
    for path in set(tmp_path.rglob("*.json")) - {earlier}:  # it had been saved before the kill
        assert json.loads(path.read_text())["status"] == "complete"
        assert findings(path) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profile", "fastest"], ["--profile 'fastest'", "quick, standard, full"]),
        (["--digits", "cifar"], ["--digits 'cifar'", "fonts"]),
        (["--engines", "warp"], ["--engines 'warp'", "eager"]),
        (["--engines", "eager,,eager"], ["--engines ''"]),
        (["--devices", "tpu"], ["--devices 'tpu'", "cpu"]),
        (["--threads", "0"], ["--threads: '0'"]),
        (["--devices", "cuda,xpu"], ["no cuda device", "devices here: cpu"]),
        (["--train-limit", "-1"], ["--train-limit is -1", "above 0"]),
        (["--train-limit", "nan"], ["--train-limit is nan"]),
        (["--train-limit", "inf"], ["--train-limit is inf"]),
        (["--results=/dev/null"], ["/dev/null", "--results"]),
        (["--results=/proc/results"], ["/proc/results", "--results"]),
        (["--results=README.md"], ["README.md", "--results"]),
    ],
)
def test_bad_options_are_one_line_and_exit_code_2(arguments, words):
    done = run_here(*MEASURE, *arguments, "bench/bench_floor.py")
    assert_one_line_and_exit_code_2(done, *words)


def test_digits_of_another_number_are_not_measured_on(real_data):
    done = run_here(*MEASURE, "--digits", "mnist-50000", "bench/bench_floor.py")
    assert_one_line_and_exit_code_2(done, "mnist-50000", "50,000", "7,291")


def test_a_bad_option_reaches_the_shell():
    done = run(*MEASURE, "--engines", "warp", "bench/bench_floor.py")
    assert_one_line_and_exit_code_2(done, "--engines 'warp'", "eager")


def test_bare_pytest_collects_tests_and_benchmark_only_collects_benchmarks(tmp_path):
    listing = ("pytest", "--collect-only", "-q")
    tests = run_here(*listing).stdout
    benchmarks = run_here(*listing, "--benchmark-only", f"--results={tmp_path}").stdout
    assert "tests/test_paper.py::" in tests
    assert "bench/" not in tests
    assert "bench/bench_sgd.py::bench_synced_step" in benchmarks
    assert "::test_" not in benchmarks
