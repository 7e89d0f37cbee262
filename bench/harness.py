"""measure(): warm, then time round by round. Every timing of every row is taken here.

For an engine's steps that is exactly `engine.run(placed); engine.sync()` (or predict in place of
run), one such call a round. Placing data, compiling, loading weights and verifying happen before.
Rounds follow each other with nothing between them, because an idle gap lets clocks drop and caches
cool. Where a round is more than that (replicas, a new process), results/README.md says what.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.profiles import Profile
from zipnet.verify import Verified

Work = Callable[[], object]


@dataclass
class Row:
    """What a row says about its round: the extra_info of results/README.md.

    presentations, macs and bytes are the work of one round; rates are the reader's to derive.
    """

    question: str
    device: str
    engine: str | None = None
    device_name: str | None = None
    dtype: str = "float32"
    threads: int | None = None
    batch: int | None = None
    steps: int = 0
    presentations: int = 0
    macs: int | None = None
    bytes: int | None = None
    dataset: str | None = None
    dataset_sha256: str | None = None
    verified: Verified | None = None
    passes: int | None = None
    seed: int | None = None
    replicas: int | None = None
    replica_misses: list[int] | None = None
    phases: dict[str, float] | None = None
    train: dict[str, float] | None = None
    test: dict[str, float] | None = None
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def seconds_of(work: Work) -> float:
    """One call that counts for nothing, to know how many will fit."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def warm(work: Work, seconds: float = 0.2) -> float:
    """Call once for nothing, then until the time is up; the fastest call's seconds.

    The first call of a shape may compile, allocate, choose kernels and fill caches; none of that
    is the steady state that a row claims to show.
    """
    work()
    best, spent = float("inf"), 0.0
    while spent < seconds:
        took = seconds_of(work)
        best, spent = min(best, took), spent + took
    return best


def measure(benchmark: Any, work: Work, profile: Profile) -> None:
    """Time `work` round by round, warmed, for as long as the profile grants a row."""
    rounds = profile.rounds(warm(work))
    _time(benchmark, work, rounds, None)


def measure_from_fresh(
    benchmark: Any, work: Work, profile: Profile, fresh_start: Work, estimate: float
) -> None:
    """Time work that must begin anew each round, as a whole training does.

    fresh_start is called untimed before every round; estimate is about how many seconds a round
    takes. There is no warming: the work is long, and whoever asks has prepared its engine.
    """
    rounds = max(1, min(int(profile.long_seconds / estimate), profile.max_rounds))
    _time(benchmark, work, rounds, fresh_start)


def _time(benchmark: Any, work: Work, rounds: int, setup: Work | None) -> None:
    gc.collect()  # so that a collection of our own set-up does not land in somebody's round
    benchmark.pedantic(work, setup=setup, rounds=rounds, iterations=1, warmup_rounds=0)
