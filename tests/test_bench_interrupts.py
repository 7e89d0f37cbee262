"""Ctrl-C is answered where nothing is half done: between rounds, and after a block."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.interrupts import NEWS, Interrupts, postponed
from tests.commands import ended


@pytest.fixture
def heard():
    return []


@pytest.fixture
def interrupts(heard):
    found = signal.getsignal(signal.SIGINT)
    subject = Interrupts()
    subject.begin(heard.append)
    yield subject
    subject.end()
    assert signal.getsignal(signal.SIGINT) is found


def press():
    signal.raise_signal(signal.SIGINT)


def test_nothing_is_raised_where_nothing_was_pressed(interrupts, heard):
    interrupts.answer()
    assert heard == []


def test_the_first_waits_for_an_answer_and_says_so(interrupts, heard):
    press()
    assert heard == [NEWS]
    with pytest.raises(KeyboardInterrupt):
        interrupts.answer()


def test_the_second_does_not_wait(interrupts):
    press()
    with pytest.raises(KeyboardInterrupt):
        press()


def test_none_disturbs_the_saving(interrupts, heard):
    interrupts.saving()
    press()
    press()
    assert heard == []


def test_one_that_strikes_within_another_writing_is_heard_all_the_same(interrupts):
    def busy(_):
        raise RuntimeError("reentrant call inside BufferedWriter")

    interrupts.end()
    interrupts.begin(busy)
    press()
    with pytest.raises(KeyboardInterrupt):
        interrupts.answer()


def test_after_the_end_ctrl_c_is_what_it_was(interrupts):
    press()
    interrupts.end()
    interrupts.answer()
    with pytest.raises(KeyboardInterrupt):
        press()


def test_a_background_job_stays_deaf():
    ours = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        subject = Interrupts()
        subject.begin(None)
        press()
        subject.answer()
        subject.end()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, ours)


def test_a_block_runs_to_its_end_before_ctrl_c_is_answered():
    done = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the block is what is tested
        with postponed():
            press()
            press()
            done.append("all")
        done.append("too much")
    assert done == ["all"]
    with pytest.raises(KeyboardInterrupt):
        press()


def test_a_block_that_nobody_interrupts_changes_nothing():
    found = signal.getsignal(signal.SIGINT)
    with postponed():
        assert signal.getsignal(signal.SIGINT) is not found
    assert signal.getsignal(signal.SIGINT) is found


def test_a_block_that_fails_fails_for_its_own_reason():
    with pytest.raises(OSError, match="full"), postponed():
        raise OSError("full")


def test_a_thread_has_no_ctrl_c_to_postpone():
    def block():
        with postponed():
            return "done"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(block).result() == "done"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send to one process")
def test_a_process_started_within_a_block_is_deaf_from_birth():
    code = "import time; print('up', flush=True); time.sleep(1); print('well', flush=True)"
    with postponed():
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child.send_signal(signal.SIGINT)
    assert child.stdout.readline() == "up\n"
    child.send_signal(signal.SIGINT)
    assert ended(child)[0] == "well\n"
    assert child.returncode == 0
