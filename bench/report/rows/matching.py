"""Which rows of two files answer the same question, and why the others cannot be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bench.report.records import ResultFile
from bench.report.rows.examined import Examined
from bench.report.rows.keys import ALL, Key, keys
from bench.report.rows.measures import Measure

# Parts of a key in which two rows may differ by choice: said so, where one stands alone for it.
DIFFERS: Final = ("dtype", "batch")
Near = dict[tuple[str, tuple[object, ...]], Key]  # by that part, and all the others


@dataclass(frozen=True)
class Pair:
    """Two rows that answer the same question."""

    key: Key
    one: Measure
    other: Measure


@dataclass(frozen=True)
class Alone:
    """A row that is not compared, and why; it has no numbers."""

    row: str
    reason: str


def match(one: Examined, other: Examined, names: tuple[str, str]) -> tuple[list[Pair], list[Alone]]:
    """Pair the rows of two files; names: what to call the files in reasons."""
    ones, twice_one = rows_by_key(one, names[0])
    others, twice_other = rows_by_key(other, names[1])
    pairs, alone = [], [*twice_one, *twice_other]
    near_one, near_other = _near(ones), _near(others)
    for key in sorted({*ones, *others}, key=Key.order):
        if key.threads == ALL and _single(one.file) and _single(other.file):
            continue  # the same two rows as for one thread
        left, right = ones.get(key), others.get(key)
        if left is None or right is None:
            where, near = (names[0], near_other) if right is None else (names[1], near_one)
            alone.append(Alone(key.text, _why_alone(key, where, near)))
        elif (reason := _incomparable(left, right)) is not None:
            alone.append(Alone(key.text, reason))
        else:
            pairs.append(Pair(key, left, right))
    for found, name in ((one, names[0]), (other, names[1])):
        alone += [Alone(row.fullname, f"invalid in {name}: {row.reason}") for row in found.excluded]
    return pairs, alone


def comparable(found: Examined) -> dict[object, Measure]:
    """The rows of a file by all that another's must share to be compared with them, each once."""
    return {
        (key, *_terms(measure)): measure
        for key, measure in rows_by_key(found, "")[0].items()
        if measure.seconds.median and not (key.threads == ALL and _single(found.file))
    }


def _single(file: ResultFile) -> bool:
    """Whether all threads of the machine are one: its rows answer to both keys."""
    return file.machine.logical_cores == 1


def rows_by_key(found: Examined, name: str) -> tuple[dict[Key, Measure], list[Alone]]:
    """Each key's row; of several devices of one kind the first, the others being left alone."""
    kept: dict[Key, Measure] = {}
    alone = []
    for measure in sorted(found.measures, key=lambda m: m.row.device):
        for key in keys(measure):
            if kept.setdefault(key, measure) is not measure:
                first = kept[key].row.device
                reason = f"{name} has it more than once; its {first} was taken"
                alone.append(Alone(f"{key.text} ({measure.row.device})", reason))
    return kept, alone


def _near(keys: Iterable[Key]) -> Near:
    """The first of the keys that differ in one part only."""
    found: Near = {}
    for key in keys:
        for part in DIFFERS:
            found.setdefault((part, _but(key, part)), key)
    return found


def _why_alone(key: Key, where: str, near: Near) -> str:
    for part in DIFFERS:
        if other := near.get((part, _but(key, part))):
            return f"{part} is {getattr(key, part)} in {where}, {getattr(other, part)} elsewhere"
    return f"only in {where}"


def _but(key: Key, part: str) -> tuple[object, ...]:
    return tuple(value for name, value in zip(Key._fields, key, strict=True) if name != part)


def _terms(measure: Measure) -> tuple[object, ...]:
    """What rows of one key must share as well: the workload by its hash, the unit, the work."""
    row = measure.row
    return (
        measure.file.workload["hash"] if row.shows_digits else None,
        measure.unit[0],
        row.presentations if row.question == "training" else None,
    )


def _incomparable(one: Measure, other: Measure) -> str | None:
    """Why rows of one key cannot be compared all the same."""
    (hashed, unit, work), (other_hashed, other_unit, other_work) = _terms(one), _terms(other)
    if hashed != other_hashed:
        return "the workload differs, by its hash"
    if unit != other_unit:
        return f"counted per {unit} in one, per {other_unit} in the other"
    if work != other_work:
        return f"{work} presentations in one, {other_work} in the other"
    if not (one.seconds.median and other.seconds.median):
        return "took no time by the clock"
    return None
