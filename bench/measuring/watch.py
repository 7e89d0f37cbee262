"""Watching a lap: what else kept the machine's cores busy while a row was being measured."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any

import psutil

from bench.measuring.state import state
from zipnet.errors import answer
from zipnet.results.schema import State, Watch

BUSY = ("user", "nice", "system", "irq", "softirq")  # guests are counted within user already


@dataclass(frozen=True)
class Spent:
    """Core-seconds since some moment in the past: of this process, of all, and of a hypervisor.

    system: those of `own` that the kernel worked for us. busy, stolen: None where the system keeps
    them from us.
    """

    wall: float
    own: float
    system: float
    busy: float | None
    stolen: float | None

    @classmethod
    def now(cls) -> Spent:
        """Read the counters; the system's advance by hundredths of a second."""
        whole, mine = answer(_on_our_cores), os.times()
        return cls(
            wall=time.perf_counter(),
            # Children that were waited for: a row of new processes works through them.
            own=mine.user + mine.system + mine.children_user + mine.children_system,
            system=mine.system + mine.children_system,
            busy=None if whole is None else _sum(whole, *BUSY),
            stolen=None if whole is None else _sum(whole, "steal"),
        )


@dataclass(frozen=True)
class Watching:
    """From construction to ended(): what results/README.md calls a row's watch."""

    before: State = field(default_factory=state)
    began: Spent = field(default_factory=Spent.now)

    def ended(self) -> Watch:
        """Sum up what was seen."""
        end = Spent.now()
        own = end.own - self.began.own
        return Watch(
            seconds=max(0.0, end.wall - self.began.wall),
            own_cpu_seconds=max(0.0, own),
            own_system_seconds=min(max(0.0, end.system - self.began.system), max(0.0, own)),
            other_cpu_seconds=_more(end.busy, self.began.busy, own),
            stolen_cpu_seconds=_more(end.stolen, self.began.stolen),
            before=self.before,
            after=state(),
        )


def _on_our_cores() -> list[Any]:
    """The counters of the cores that this process may be put on: what others do is no matter."""
    ours = answer(lambda: os.sched_getaffinity(0))
    each = psutil.cpu_times(percpu=True) if ours else []
    if ours and len(each) == os.cpu_count():  # none is off, so that they are numbered through
        return [each[core] for core in ours]
    return [psutil.cpu_times()]


def _sum(counters: list[Any], *names: str) -> float:
    return float(sum(getattr(of, name, 0.0) for of in counters for name in names))


def _more(end: float | None, begin: float | None, own: float = 0.0) -> float | None:
    """What came to a counter beside our own share; None where it was not told."""
    return None if end is None or begin is None else max(0.0, end - begin - own)
