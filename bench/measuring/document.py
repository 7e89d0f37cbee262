"""A result file in the making, for commands that measure or train outside pytest."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from bench.measuring import writer
from bench.measuring.draft import Draft
from bench.measuring.folder import Disk
from zipnet.data import Digits
from zipnet.results import schema
from zipnet.results.schema import Absent, Row


class Document:
    """Rows by name and all that is said of their run; saved as often as there is news.

    status: "interrupted" until somebody says otherwise. absent: what has no row, and why.
    """

    def __init__(
        self, results: Path, digits: Digits, scope: Literal["part", "learning"], profile: Any
    ) -> None:
        self._results, self._path = results, ""
        self._rows: dict[str, dict[str, Any]] = {}
        self._draft, self._digits = Draft(), digits
        self._said = {"scope": scope, "profile": profile}
        self.status: Literal["interrupted", "complete"] = "interrupted"
        self.absent: list[Absent] = []

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
        absent, status = self.absent, self.status
        about = self._draft.about(self._digits, status=status, absent=absent, **self._said)
        document = msgspec.to_builtins(about) | {"benchmarks": list(self._rows.values())}
        if self._path:
            writer.rewrite(document, Path(self._path))
        else:
            self._path = writer.save(document, Disk(self._results), *self._draft.name)
        return self._path
