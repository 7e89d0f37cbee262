"""Where people work: checkouts that cannot be written, containers, full disks, closed terminals."""

import json
import runpy
import subprocess
import sys
import tempfile
from collections import namedtuple
from dataclasses import replace
from itertools import product
from pathlib import Path

import numba
import pytest
import torch

from bench.measuring import watch, writer
from tests.commands import ROOT, assert_one_line_and_exit_code_2, command
from tests.strangers import checkout, own_folder, run_as_nobody
from zipnet import engines, errors
from zipnet.data import fetch
from zipnet.data.surroundings import cache_folder
from zipnet.engines import _torch_step
from zipnet.recipe import KARPATHY_1989

__all__ = ["checkout", "own_folder"]  # fixtures

ROWS = ("bench/bench_floor.py", "-k", "empty or sync_alone")
MEASURE = (
    *("-m", "pytest", "--benchmark-only", "--profile=smoke", "--digits=fonts"),
    *("--threads=1", "--engines=eager"),
)


def assert_fine(done, *words):
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for word in words:
        assert word in done.stdout


# A function compiled as those of the fused kernel are, and kept where they are; only smaller.
PLUS = """
from zipnet.fused.compiling import entry
@entry
def plus(a):
    return a + 1
print("sum", plus(1), "hits", sum(plus.stats.cache_hits.values()))
"""


# --- checkouts and homes ----------------------------------------------------------------------


def test_a_checkout_that_cannot_be_written_is_measured_and_the_file_is_named(checkout, own_folder):
    done = run_as_nobody(checkout, *MEASURE, f"--results={own_folder}", *ROWS)
    (path,) = own_folder.glob("*/*.json")
    assert_fine(done, f"saved {path}, checked: ok")
    assert "warning" not in done.stdout
    assert json.loads(path.read_text())["status"] == "complete"


def test_laws_are_tried_in_a_checkout_that_cannot_be_written(checkout):
    laws = ("-m", "pytest", "-q", "tests/test_engine_laws.py", "-k", "eager-cpu and alias")
    assert_fine(run_as_nobody(checkout, *laws), " passed")


@pytest.mark.parametrize("home", [{}, {"HOME": "/"}, {"HOME": "/root"}, {"HOME": "/no/such"}])
def test_data_sets_need_no_home(checkout, own_folder, home):
    own = {"TMPDIR": str(own_folder), **home}
    assert_fine(run_as_nobody(checkout, "-m", "zipnet", "data", "fonts", **own), "fonts: 7291")
    assert (own_folder / "zipnet-12345" / "fonts-1.npz").exists()


def test_machine_code_runs_where_nothing_can_be_kept_and_it_is_said(checkout):
    (checkout / "plus.py").write_text(PLUS)
    done = run_as_nobody(checkout, "plus.py", HOME="/")
    assert_fine(done, "sum 2")
    (line,) = [line for line in done.stderr.splitlines() if "kept" in line]
    assert "no cache folder can be written" in line
    assert "NUMBA_CACHE_DIR" in line


def test_the_usual_cache_is_used_where_it_can_be(monkeypatch, tmp_path):
    monkeypatch.delenv("ZIPNET_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not" / "yet"))
    assert cache_folder() == tmp_path / "not" / "yet" / "zipnet"


# --- caches -----------------------------------------------------------------------------------


DAMAGED = (b"", b"\x80", bytes(100_000))


@pytest.fixture
def kept(own_folder):
    """A folder for the machine code of plus.py, which lies beside it."""
    (own_folder / "plus.py").write_text(PLUS)
    (own_folder / "kept").mkdir()
    (own_folder / "kept").chmod(0o777)
    return own_folder / "kept"


def test_machine_code_is_kept_and_a_damaged_file_of_it_is_made_anew(
    kept, own_folder, monkeypatch, capsys
):
    """Also one with a single bit flipped, which would run."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(kept))

    def plus():
        """How often the function, compiled or loaded as by a new process, came from the folder."""
        runpy.run_path(str(own_folder / "plus.py"))
        out, err = capsys.readouterr()
        assert (out[:6], err) == ("sum 2 ", "")
        return int(out.split()[-1])

    assert (plus(), plus()) == (0, 1)
    (code,), (index,) = own_folder.rglob("*.nbc"), own_folder.rglob("*.nbi")
    flipped = bytearray(code.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    for file, content in [(code, bytes(flipped)), *product((code, index), DAMAGED)]:
        file.write_bytes(content)
        assert plus() == 0
        assert file.read_bytes() != content
    assert plus() == 1


def test_a_cache_without_room_stops_nothing(checkout, own_folder, kept):
    mount = f"mount -t tmpfs -o size=4k,mode=777 zipnet {kept}"
    plus = str(own_folder / "plus.py")
    done = run_as_nobody(checkout, plus, setup=mount, NUMBA_CACHE_DIR=str(kept))
    assert_fine(done, "sum 2")
    (line,) = done.stderr.splitlines()
    assert "cannot be kept (No space left on device)" in line


# --- the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["> /dev/full", "| head -n 3"])
def test_a_stdout_that_breaks_takes_nothing_with_it(tmp_path, ending):
    words = " ".join(f"'{word}'" for word in (*MEASURE, f"--results={tmp_path}", *ROWS))
    shell = f"{sys.executable} {words} {ending}"
    done = subprocess.run(shell, shell=True, cwd=ROOT, capture_output=True, text=True)
    (path,) = tmp_path.glob("*/*.json")
    assert json.loads(path.read_text())["status"] == "complete"
    assert "Traceback" not in done.stdout + done.stderr
    assert f"what was measured is kept in {path}" in done.stderr


@pytest.mark.parametrize("ending", ["> /dev/full", ">&-"])
def test_a_command_without_a_stdout_ends_in_a_line_at_most(ending):
    shell = " ".join(command("zipnet", "data", "fonts")) + ending
    done = subprocess.run(shell, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert len(done.stderr.splitlines()) <= 1, done.stderr


def test_what_finds_no_room_in_one_temporary_folder_is_kept_in_another(tmp_path, monkeypatch):
    taken = tmp_path / "taken"
    taken.touch()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(taken))
    kept = Path(writer.rescue({}, "machine", "stamp", "commit"))
    assert json.loads(kept.read_text()) == {}
    kept.unlink()


# --- processors -------------------------------------------------------------------------------


def test_only_work_on_our_own_cores_is_other_peoples(monkeypatch):
    ticks = namedtuple("scputimes", "user system steal")
    each = [ticks(1.0, 2.0, 0.5), ticks(50.0, 60.0, 7.0)]
    monkeypatch.setattr(watch.psutil, "cpu_times", lambda percpu=False: each if percpu else each[1])
    monkeypatch.setattr(watch.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(watch.os, "sched_getaffinity", lambda _: {0})
    assert (watch.Spent.now().busy, watch.Spent.now().stolen) == (3.0, 0.5)
    monkeypatch.setattr(watch.os, "sched_getaffinity", lambda _: {0, 1})
    assert watch.Spent.now().busy == 113.0
    monkeypatch.setattr(watch.os, "cpu_count", lambda: 3)  # one is off: numbers say nothing
    assert watch.Spent.now().busy == 110.0


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (64, 3)])
def test_torch_is_given_the_threads_that_we_may_use(monkeypatch, batch, threads):
    given = []
    monkeypatch.setattr(torch, "set_num_threads", given.append)
    monkeypatch.setattr(_torch_step, "cores", lambda: 3)
    engines.make("eager", replace(KARPATHY_1989, batch=batch), "cpu").claim()
    engines.make("eager", replace(KARPATHY_1989, batch=batch), "cpu", threads=2).claim()
    assert given == [threads, 2]


def test_a_long_training_says_what_it_does_before_it_ends():
    process = subprocess.Popen(
        command("zipnet", "train", "1989", "--data", "fonts", "--engine", "eager"),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        told = process.stderr.readline()
        assert told.startswith("zipnet: loading libraries and trying the engine (")
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


# --- newcomers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "missing"),
    [("zipnet count", "numpy"), ("zipnet --help", "numpy"), ("bench report", "msgspec")],
)
def test_a_python_without_libraries_says_in_a_line_what_to_install(words, missing):
    done = subprocess.run(
        [sys.executable, "-S", "-m", *words.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert_one_line_and_exit_code_2(done, f"{missing} is not installed", "-m pip install -e '.[")


@pytest.mark.parametrize(("managed", "inside"), [(True, False), (True, True), (False, False)])
def test_a_systems_python_is_left_alone(monkeypatch, tmp_path, managed, inside):
    if managed:
        (tmp_path / "EXTERNALLY-MANAGED").touch()
    monkeypatch.setattr(errors.sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setattr(errors, "_in_venv", lambda: inside)
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    told = errors.how_to_install("data")
    assert ("python3 -m venv .venv && . .venv/bin/activate && " in told) == (managed and not inside)
    assert told.endswith("python3 -m pip install -e '.[data]'")


def test_another_users_repository_names_its_commit(checkout):
    for words in (["init", "-q"], ["add", "zipnet"], ["commit", "-qm", "all"]):
        who = ("-c", "user.name=a", "-c", "user.email=b")
        subprocess.run(["git", *who, *words], cwd=checkout, check=True)
    said = "from bench.measuring.commit import commit; print(commit().id)"
    known = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    identity = subprocess.run(known, capture_output=True, text=True, check=True).stdout
    assert run_as_nobody(checkout, "-c", said).stdout == identity


def test_threads_that_may_not_be_started_are_a_line(capsys):
    def body():
        raise RuntimeError("can't start new thread")

    assert errors.run_command("zipnet", body) == 2
    assert "--threads 1" in capsys.readouterr().err


def test_a_bundle_of_certificates_is_named(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such")
    assert "REQUESTS_CA_BUNDLE" in fetch._reason(OSError("invalid path: /no/such"))
