"""Telling a person what is being done, once it takes longer than one would wait in silence."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

from zipnet.errors import note

FIRST: Final = 1.0  # seconds until the first line,
AGAIN: Final = 10.0  # and between those after it


class News:
    """What is being done now, to be changed as the work goes on."""

    def __init__(self, what: str) -> None:
        self.what = what


_told: list[News] = []  # the innermost, of which one is enough to be told


@contextlib.contextmanager
def doing(what: str, *, always: bool = False) -> Iterator[News]:
    """Say on stderr what the block does, where that takes a while.

    always: also where stderr is no terminal.
    """
    news, over, began = News(what), threading.Event(), time.monotonic()

    def tell() -> None:
        wait = FIRST
        while not over.wait(wait):
            wait = AGAIN
            if _told and _told[-1] is news:
                seconds = time.monotonic() - began
                with contextlib.suppress(OSError):  # nobody listens any more
                    note(f"{news.what} ({seconds:.0f} s so far)")

    if heard := always or (sys.stderr is not None and sys.stderr.isatty()):
        _told.append(news)
        with contextlib.suppress(RuntimeError):  # no more threads may be started
            threading.Thread(target=tell, daemon=True).start()
    try:
        yield news
    finally:
        over.set()
        if heard:
            _told.remove(news)
