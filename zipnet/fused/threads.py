"""Threads that stay ready between calls: compiled code releases the GIL, so they are enough."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """The one pool of this many threads."""
    return ThreadPoolExecutor(threads, thread_name_prefix="zipnet")
