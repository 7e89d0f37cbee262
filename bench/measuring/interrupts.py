"""Ctrl-C while measuring: answered where nothing is half done.

So are a scheduler's SIGTERM and the SIGHUP of a terminal that closes. Raised wherever it happens to
strike, an interrupt can leave a lock of some library held, on which its threads then wait for ever,
or a file half open.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, NoReturn

NEWS: Final = "interrupted: stopping after this round (Ctrl-C again: at once)"
ENDINGS: Final = [signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGHUP", None)])]


def as_ctrl_c(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - signal's
    """A handler for each of ENDINGS."""
    raise KeyboardInterrupt


class Interrupts:
    """From begin() to end(), Ctrl-C is answered before the next round.

    A second one does not wait, because a round can be a whole training. While a file is being
    saved none is answered at all: that takes some seconds, and is what whoever interrupts a session
    wants to keep.
    """

    def __init__(self) -> None:
        self._say: Callable[[str], object] | None = None
        self._pressed = False
        self._saving = False
        self._theirs: dict[signal.Signals, Any] = {}

    def begin(self, say: Callable[[str], object] | None) -> None:
        """From now on, answer Ctrl-C at answer(); `say` shows a person that it was heard."""
        self._say = say
        self._pressed = self._saving = False
        for ending in ENDINGS:
            found = signal.getsignal(ending)
            # As a shell's background jobs and those of nohup are born; so it stays.
            if found is not signal.SIG_IGN:
                self._theirs[ending] = found
                signal.signal(ending, self._hear)

    def answer(self) -> None:
        """Raise KeyboardInterrupt here if Ctrl-C was pressed since begin()."""
        if self._pressed:
            raise KeyboardInterrupt

    def saving(self) -> None:
        """Answer no more."""
        self._saving = True

    def end(self) -> None:
        """Give the signals back to whoever had them."""
        while self._theirs:
            signal.signal(*self._theirs.popitem())
        self._pressed = False

    def _hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's
        if self._saving:
            return
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True
        if self._say is not None:
            # It struck while something else was written, or with the terminal that closed.
            with contextlib.suppress(RuntimeError, OSError):
                self._say(NEWS)


INTERRUPTS: Final = Interrupts()  # the process has one of each signal
