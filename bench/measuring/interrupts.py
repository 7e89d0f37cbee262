"""Ctrl-C while measuring: answered where nothing is half done.

Raised wherever it happens to strike, an interrupt can leave a lock of some library held, on which
its threads then wait for ever, or a file half open.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

NEWS: Final = "interrupted: stopping after this round (Ctrl-C again: at once)"


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
        self._theirs: Any = None

    def begin(self, say: Callable[[str], object] | None) -> None:
        """From now on, answer Ctrl-C at answer(); `say` shows a person that it was heard."""
        found = signal.getsignal(signal.SIGINT)
        if found is signal.SIG_IGN:  # as a shell's background jobs are born; so it stays
            return
        self._say, self._theirs = say, found
        self._pressed = self._saving = False
        signal.signal(signal.SIGINT, self._hear)

    def answer(self) -> None:
        """Raise KeyboardInterrupt here if Ctrl-C was pressed since begin()."""
        if self._pressed:
            raise KeyboardInterrupt

    def saving(self) -> None:
        """Answer no more."""
        self._saving = True

    def end(self) -> None:
        """Give SIGINT back to whoever had it."""
        if self._theirs is not None:
            signal.signal(signal.SIGINT, self._theirs)
            self._theirs = None
        self._pressed = False

    def _hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's
        if self._saving:
            return
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True
        if self._say is not None:
            with contextlib.suppress(RuntimeError):  # it struck while something else was written
                self._say(NEWS)


INTERRUPTS: Final = Interrupts()  # the process has one SIGINT
