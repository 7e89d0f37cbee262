"""A result file in the making, for commands that measure or train without pytest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from bench.measuring import machine, writer
from bench.measuring.environment import settings_in_force
from bench.measuring.folder import Disk
from bench.measuring.harness import TICK
from bench.measuring.session import commit
from bench.measuring.state import state
from bench.measuring.workload import workload
from zipnet.data import Digits
from zipnet.results import schema
from zipnet.results.schema import ResultFile, Row


class Document:
    """Rows by name and all that is said of their run; saved as often as there is news.

    about: everything but the rows, which a reader of results/README.md knows. Its status is
    "interrupted" until somebody says otherwise.
    """

    def __init__(
        self, results: Path, digits: Digits, scope: Literal["part", "learning"], profile: Any
    ) -> None:
        self._results, self._began, self._path = results, datetime.now(UTC), ""
        self._rows: dict[str, dict[str, Any]] = {}
        self._before = state()
        self.about = ResultFile(
            schema=schema.SCHEMA,
            status="interrupted",
            scope=scope,
            profile=profile,
            workload=workload(),
            dataset=schema.Dataset(digits.name, digits.sha256),
            software=machine.software(),
            limits=machine.limits(),
            clock_tick=TICK,
            environment=settings_in_force(),
            machine_info=machine.identity(),
            commit_info=commit(),
            datetime=self._began.isoformat(),
            benchmarks=[],
        )

    def put(self, file: str, name: str, row: Row, values: list[float]) -> None:
        """Add a row as pytest-benchmark would have it, or say it anew; file: who measured it."""
        from pytest_benchmark import stats as theirs

        stats: Any = theirs.Stats()  # type: ignore[no-untyped-call]
        for value in values:
            stats.update(value)
        self._rows[name] = {
            "group": row.question,
            "name": name,
            "fullname": f"{file}::{name}",
            "params": None,
            "param": None,
            "extra_info": msgspec.to_builtins(row),
            "options": {},
            "stats": {name: getattr(stats, name) for name in ("data", "rounds", "outliers")}
            | {name: getattr(stats, name) for name in schema.STATISTICS}
            | {"iterations": 1},
        }

    def save(self) -> str:
        """Write the file, or in one step write it anew; returns its path."""
        about = self.about
        about.state = schema.States(self._before, state())
        document = msgspec.to_builtins(about) | {"benchmarks": list(self._rows.values())}
        if self._path:
            writer.rewrite(document, Path(self._path))
        else:
            code, stamp = commit().id or "nocommit", self._began.strftime("%Y%m%dT%H%M%SZ")
            folder = Disk(self._results)
            self._path = writer.save(document, folder, about.machine_info.name, stamp, code[:8])
        return self._path
