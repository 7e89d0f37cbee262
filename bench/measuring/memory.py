"""Out of memory: what it looks like in each library, and how to go on without that row."""

from __future__ import annotations

import gc
import traceback

import pytest

from zipnet import devices
from zipnet.errors import short_of_memory


def shortage(error: BaseException) -> str | None:
    """The reason for a row's absence where the error says that memory was short; else None."""
    if isinstance(error, AssertionError):
        return None  # a finding of our own, whatever it quotes
    if (said := short_of_memory(error)) is None:
        return None
    held = {kind: devices.held_memory(kind) for kind in devices.KINDS}
    shown = [f"{size / 2**30:.2f} GiB on {kind}" for kind, size in held.items() if size]
    ours = f" (this process held {', '.join(shown)})" if shown else ""
    return said.replace(":", f"{ours}:", 1)


def let_go(error: BaseException) -> None:
    """Free what the failed row held, so that the next one starts with what the machine has.

    Its arrays live on in the frames of the traceback, which pytest and Python keep.
    """
    link: BaseException | None = error
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    gc.unfreeze()  # bench/measuring/harness.py hides from the collector what was there before
    gc.collect()
    devices.release_memory()


def excuse(report: pytest.TestReport, call: pytest.CallInfo[None]) -> str | None:
    """Turn a failure for want of memory into a skip, and free memory; returns the reason.

    None, and nothing done, where the benchmark failed for another reason.
    """
    error = None if call.excinfo is None else call.excinfo.value
    reason = None if error is None else shortage(error)
    if error is not None and reason is not None:
        path, line, _ = report.location
        report.outcome, report.longrepr = "skipped", (path, line or 0, f"Skipped: {reason}")
        let_go(error)
    return reason
