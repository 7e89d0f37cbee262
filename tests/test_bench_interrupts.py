"""Ctrl-C while measuring waits for the round at hand, and never strikes within the saving."""

import signal

import pytest

from bench.measuring.interrupts import NEWS, Interrupts
from tests.commands import born_with_sigint


@pytest.fixture
def heard():
    return []


@pytest.fixture
def interrupts(heard):
    """As in a terminal, wherever the tests themselves run."""
    with born_with_sigint(signal.default_int_handler):
        subject = Interrupts()
        subject.begin(heard.append)
        yield subject
        subject.end()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


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
