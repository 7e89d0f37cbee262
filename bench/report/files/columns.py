"""Examined files as columns of plain values, and back: between processes, and for the cache.

One file is its head, as JSON text, and a column for each fact of its sound rows. Floats stay the
very floats. What is let go are the raw timings, and what only the checker reads: ten thousand
files hold some twenty million timings, and after the examination nobody needs one of them.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, get_type_hints

from bench.report.files.places import Place
from bench.report.records import Absent, Machine, ResultFile, Row, Score, State, Stated
from bench.report.rows.examined import Examined, Excluded
from bench.report.rows.measures import Measure
from bench.report.rows.quality import Doubt
from bench.report.statistics.stats import Estimate
from bench.report.statistics.timings import Timings

ColumnKind = Literal["text", "whole", "number", "numbers"]
Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Packed:
    """One file: everything about it as a whole in `head`, and its rows in columns."""

    head: str
    rows: Columns


def pack(examined: Examined) -> Packed:
    """Take an examined file apart."""
    file = examined.file
    facts = {
        field.name: getattr(file, field.name)
        for field in fields(ResultFile)
        if field.name not in _NOT_PLAIN
    } | {
        "before": file.before._asdict(),
        "after": file.after._asdict(),
        "machine": dataclasses.asdict(file.machine),
        "absent": [dataclasses.asdict(absent) for absent in file.absent],
        "excluded": [dataclasses.asdict(excluded) for excluded in examined.excluded],
        "findings": examined.findings,
    }
    sound = [measure.row for measure in examined.measures]
    rows = {name: [to(getattr(row, name)) for row in sound] for name, to in _TO_PLAIN.items()}
    return Packed(json.dumps(facts), rows | _measured(examined.measures))


def unpack(packed: Packed, place: Place) -> Examined:
    """Put an examined file together again: of its rows it has the sound ones, without timings.

    Where it lies is not packed: the same file has another path from another folder.
    """
    facts = json.loads(packed.head)
    machine = facts.pop("machine")
    excluded = tuple(Excluded(**row) for row in facts.pop("excluded"))
    findings = tuple(facts.pop("findings"))
    file = ResultFile(
        path=place.path,
        address=place.key,
        source=place.source,
        machine=Machine(**machine | {"gpus": tuple(machine["gpus"])}),
        before=State(**facts.pop("before")),
        after=State(**facts.pop("after")),
        absent=tuple(Absent(**absent) for absent in facts.pop("absent")),
        rows=_rows(packed.rows),
        **facts,
    )
    return Examined(file, _measures(file, packed.rows), excluded, findings)


def _rows(columns: Columns) -> tuple[Row, ...]:
    count = len(columns["fullname"])
    return tuple(
        map(
            Row,
            *(
                [_RAW[name]] * count if name in _RAW else _restored(columns[name], _CODECS[kind])
                for name, kind in _FIELDS.items()
            ),
        )
    )


def _measured(measures: Sequence[Measure]) -> Columns:
    return {
        "median": [m.seconds.median for m in measures],
        "low": [m.seconds.low for m in measures],
        "high": [m.seconds.high for m in measures],
        "peak": [m.peak for m in measures],
        "rounds": [m.rounds for m in measures],
        "lap_medians": [m.lap_medians for m in measures],
        "doubts": [_doubts_to_text(m.doubts) for m in measures],
        "fingerprint": [m.fingerprint for m in measures],
    }


def _measures(file: ResultFile, columns: Columns) -> tuple[Measure, ...]:
    names = ("peak", "rounds", "lap_medians", "doubts", "fingerprint")
    seconds = map(Estimate, columns["median"], columns["low"], columns["high"])
    rest = zip(file.rows, seconds, *(columns[name] for name in names), strict=True)
    return tuple(
        Measure(file, row, each, peak, rounds, tuple(laps), _text_to_doubts(doubts), mark)
        for row, each, peak, rounds, laps, doubts, mark in rest
    )


@dataclass(frozen=True)
class Codec:
    """How the values of one type are kept."""

    kind: ColumnKind
    to_plain: Callable[[Any], Any]
    from_plain: Callable[[Any], Any] | None = None


def _same(value: Any) -> Any:
    return value


def _restored(column: list[Any], codec: Codec) -> list[Any]:
    return column if codec.from_plain is None else [codec.from_plain(value) for value in column]


@functools.lru_cache(4096)
def _text_to_score(text: str) -> Score | None:
    found = json.loads(text)
    return Score(*found) if found else None


def _tuple_to_text(values: tuple[Any, ...]) -> str:
    return json.dumps(values) if values else "[]"


@functools.lru_cache(4096)
def _text_to_tuple(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


def _doubts_to_text(doubts: Sequence[Doubt]) -> str:
    return json.dumps([dataclasses.astuple(doubt) for doubt in doubts]) if doubts else "[]"


@functools.lru_cache(4096)
def _text_to_doubts(text: str) -> tuple[Doubt, ...]:
    return tuple(Doubt(*found) for found in json.loads(text))


_FIELDS: Final = get_type_hints(Row)
_CODECS: Final[dict[Any, Codec]] = {
    str: Codec("text", _same),
    str | None: Codec("text", _same),
    int | None: Codec("whole", _same),
    Score | None: Codec(
        "text",
        lambda score: json.dumps(dataclasses.astuple(score)) if score else "null",
        _text_to_score,
    ),
    tuple[str, ...]: Codec("text", _tuple_to_text, _text_to_tuple),
    tuple[int, ...]: Codec("text", _tuple_to_text, _text_to_tuple),
}
_RAW: Final[dict[str, Any]] = {  # what is let go, and what stands in its place
    "timings": Timings(()),
    "watches": (),
    "stated": Stated(numbers={}, rounds=0, iterations=None, outliers=None),
}
_NOT_PLAIN: Final = {
    "rows", "path", "address", "source", "machine", "absent", "before", "after",
}  # fmt: skip
_KEPT: Final = {name: _CODECS[kind] for name, kind in _FIELDS.items() if name not in _RAW}
_TO_PLAIN: Final = {name: codec.to_plain for name, codec in _KEPT.items()}
KINDS: Final[dict[str, ColumnKind]] = {name: codec.kind for name, codec in _KEPT.items()} | {
    "median": "number",
    "low": "number",
    "high": "number",
    "peak": "number",
    "rounds": "whole",
    "lap_medians": "numbers",
    "doubts": "text",
    "fingerprint": "text",
}
