"""Watching a lap: what else kept the machine's cores busy while a row was being measured."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

import psutil

from bench.measuring.state import state
from zipnet.results.schema import State, Watch

BUSY = ("user", "nice", "system", "irq", "softirq")  # guests are counted within user already


@dataclass(frozen=True)
class Spent:
    """Core-seconds since some moment in the past: of this process, of all, and of a hypervisor."""

    wall: float
    own: float
    busy: float
    stolen: float

    @classmethod
    def now(cls) -> Spent:
        """Read the counters; the system's advance by hundredths of a second."""
        whole, mine = psutil.cpu_times(), os.times()
        return cls(
            wall=time.perf_counter(),
            # Children that were waited for: a row of new processes works through them.
            own=mine.user + mine.system + mine.children_user + mine.children_system,
            busy=sum(getattr(whole, name, 0.0) for name in BUSY),
            stolen=getattr(whole, "steal", 0.0),
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
            seconds=end.wall - self.began.wall,
            own_cpu_seconds=max(0.0, own),
            other_cpu_seconds=max(0.0, end.busy - self.began.busy - own),
            stolen_cpu_seconds=max(0.0, end.stolen - self.began.stolen),
            before=self.before,
            after=state(),
        )
