"""Threads that stay ready between calls: compiled code releases the GIL, so they are enough."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """The one pool of this many threads."""
    return ThreadPoolExecutor(threads, thread_name_prefix="zipnet")
