"""What a result file says of its run, whoever measures: as it began, and as it stands."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.measuring import machine
from bench.measuring.commit import commit
from bench.measuring.environment import settings_in_force
from bench.measuring.harness import TICK
from bench.measuring.state import state
from bench.measuring.workload import workload
from zipnet.data import Digits
from zipnet.results import schema


class Draft:
    """Made when a run begins: meanwhile settings may change, and files whose code is loaded."""

    def __init__(self) -> None:
        self.machine, self.commit = machine.identity(), commit()
        self._began, self._clock = datetime.now(UTC), time.monotonic()
        self._before, self._environment, self._workload = state(), settings_in_force(), workload()

    def about(self, digits: Digits, **said: Any) -> schema.ResultFile:
        """Everything but the rows, now; said: fields that only who measures knows."""
        return schema.ResultFile(
            schema=schema.SCHEMA,
            workload=self._workload,
            dataset=schema.Dataset(digits.name, digits.sha256),
            software=machine.software(),
            limits=machine.limits(),
            clock_tick=TICK,
            environment=self._environment,
            state=schema.States(self._before, state()),
            machine_info=self.machine,
            commit_info=self.commit,
            datetime=self._written(),
            benchmarks=[],
            **said,
        )

    @property
    def name(self) -> tuple[str, str, str]:
        """What a file is called by: its machine, when its run began, and its commit."""
        stamp = self._began.strftime("%Y%m%dT%H%M%SZ")
        return self.machine.name, stamp, (self.commit.id or "nocommit")[:8]

    def _written(self) -> str:
        """Now, by what passed since the run began: the system's clock may be set meanwhile."""
        return (self._began + timedelta(seconds=time.monotonic() - self._clock)).isoformat()
