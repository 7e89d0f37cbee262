"""Starting processes where Ctrl-C may strike at any moment."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Answer Ctrl-C at the end of the block: a process half started dies with a traceback.

    Processes started within are deaf to it from birth, where a system's signals can be blocked.
    """
    if threading.current_thread() is not threading.main_thread():  # no other is interrupted
        yield
        return
    pressed: list[int] = []
    theirs = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    mask = getattr(signal, "pthread_sigmask", None)
    blocked = mask(signal.SIG_BLOCK, {signal.SIGINT}) if mask else None
    try:
        yield
    finally:
        if mask:
            mask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGINT, theirs)
    if pressed:
        signal.raise_signal(signal.SIGINT)
