"""Many files are read by several processes, and come out as if one had read them."""

import io
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from tests import fleet
from tests import records_factory as factory
from tests.commands import ROOT, born_with_sigint, command, ended
from zipnet.results import collect as loading
from zipnet.results.collect import collect

FILES = 8


@pytest.fixture
def results(tmp_path):
    for at in range(FILES):
        factory.write(tmp_path / "r", fleet.content_of(at, 0), f"{at}.json")
    (tmp_path / "r" / "bad.json").write_text("{")
    return str(tmp_path / "r")


@pytest.fixture
def one_process(results):
    return collect([results])


@pytest.fixture
def many(monkeypatch, one_process):
    monkeypatch.setattr(loading, "PARALLEL_FROM", 2)
    monkeypatch.setattr(loading, "AT_ONCE", 2)
    monkeypatch.setattr(loading, "_cores", lambda: 2)


def same(ones, others):
    """Whether two readings say the same."""
    assert ones.runs == others.runs
    assert ones.bad == others.bad
    for name, column in ones.columns.items():
        np.testing.assert_array_equal(column, others.columns[name])
    return True


def test_several_processes_read_what_one_reads(results, many, one_process):
    assert same(collect([results]), one_process)
    assert len(one_process.runs) == FILES
    assert len(one_process.bad) == 1


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_how_far_reading_is_and_a_file_is_not(
    results, many, monkeypatch, terminal
):
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    collect([results])
    assert ("reading: " in screen.getvalue()) == terminal
    assert ("/9 " in screen.getvalue()) == terminal
    assert terminal or not screen.getvalue()


def test_what_a_process_died_of_is_read_here(results, many, one_process, monkeypatch):
    calls = iter(range(100))
    honest = loading.ProcessPoolExecutor.submit

    def submit(self, *job):
        if next(calls) == 3:
            raise loading.BrokenProcessPool("a process died")
        return honest(self, *job)

    monkeypatch.setattr(loading.ProcessPoolExecutor, "submit", submit)
    assert same(collect([results]), one_process)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send to one process")
def test_ctrl_c_ends_all_processes_with_one_line(tmp_path):
    one = factory.write(tmp_path / "r", fleet.content_of(0, 0))
    for at in range(4000):  # they are read for longer than a busy machine may stall
        one.with_name(f"{at}.json").hardlink_to(one)
    if loading._cores() == 1:
        pytest.skip("one core reads in one process")
    with born_with_sigint(signal.default_int_handler):  # a background job is deaf to it
        running = subprocess.Popen(
            command("bench", "check", str(tmp_path / "r")), cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    parent = psutil.Process(running.pid)
    while len(parent.children()) < 2:  # it reads, in processes of its own
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, err = ended(running)
    assert (running.returncode, err) == (130, "python -m bench check: interrupted\n")
    assert out == ""


def test_an_empty_folder_of_a_glob_keeps_no_other_away(tmp_path):
    for name in ("a", "c"):
        factory.write(tmp_path / name, factory.result(name), "1.json")
    (tmp_path / "b").mkdir()
    found = collect([str(tmp_path / "?")])
    assert [run.name for run in found.runs] == ["a", "c"]
    (line,) = found.bad
    assert "holds no result file" in line
