"""Ctrl-C while processes are started: answered when they stand, and not by them."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.commands import born_with_sigint, ended
from zipnet.births import uninterrupted


@pytest.fixture(autouse=True)
def terminal():
    """As in one, wherever the tests themselves run."""
    with born_with_sigint(signal.default_int_handler):
        yield


def press():
    signal.raise_signal(signal.SIGINT)


def test_a_block_runs_to_its_end_before_ctrl_c_is_answered():
    done = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the block is what is tested
        with uninterrupted():
            press()
            press()
            done.append("all")
        done.append("too much")
    assert done == ["all"]
    with pytest.raises(KeyboardInterrupt):
        press()


def test_a_block_that_nobody_interrupts_changes_nothing():
    found = signal.getsignal(signal.SIGINT)
    with uninterrupted():
        assert signal.getsignal(signal.SIGINT) is not found
    assert signal.getsignal(signal.SIGINT) is found


def test_a_block_that_fails_fails_for_its_own_reason():
    with pytest.raises(OSError, match="full"), uninterrupted():
        raise OSError("full")


def test_a_thread_has_no_ctrl_c_to_postpone():
    def block():
        with uninterrupted():
            return "done"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(block).result() == "done"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send to one process")
def test_a_process_started_within_a_block_is_deaf_from_birth():
    code = "import time; print('up', flush=True); time.sleep(1); print('well', flush=True)"
    with uninterrupted():
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child.send_signal(signal.SIGINT)
    assert child.stdout.readline() == "up\n"
    child.send_signal(signal.SIGINT)
    assert ended(child)[0] == "well\n"
    assert child.returncode == 0
