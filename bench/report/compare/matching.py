"""Which rows of two files answer the same question, and why the others cannot be compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bench.report.compare.keys import ALL, Key, keys
from bench.report.records import ResultFile
from bench.report.rows.examined import Examined
from bench.report.rows.measures import Measure

# Parts of a key in which two rows may differ by choice: said so, where one stands alone for it.
DIFFERS: Final = ("dtype", "batch")


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
    for key in sorted({*ones, *others}, key=Key.order):
        if key.threads == ALL and _single(one.file) and _single(other.file):
            continue  # the same two rows as for one thread
        left, right = ones.get(key), others.get(key)
        if left is None or right is None:
            where, rest = (names[0], others) if right is None else (names[1], ones)
            alone.append(Alone(key.text, _why_alone(key, where, rest)))
        elif (reason := _incomparable(left, right)) is not None:
            alone.append(Alone(key.text, reason))
        else:
            pairs.append(Pair(key, left, right))
    for found, name in ((one, names[0]), (other, names[1])):
        alone += [Alone(row.fullname, f"invalid in {name}: {row.reason}") for row in found.excluded]
    return pairs, alone


def paired(ones: Mapping[Key, Measure], others: Mapping[Key, Measure]) -> Iterator[Pair]:
    """The pairs alone, of rows by key."""
    for key, left in ones.items():
        right = others.get(key)
        if right is None or _incomparable(left, right) is not None:
            continue
        if key.threads != ALL or not (_single(left.file) and _single(right.file)):
            yield Pair(key, left, right)


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


def _why_alone(key: Key, where: str, rest: Iterable[Key]) -> str:
    for part in DIFFERS:
        near = [k for k in rest if _but(k, part) == _but(key, part)]
        if near:
            return f"{part} is {getattr(key, part)} in {where}, {getattr(near[0], part)} elsewhere"
    return f"only in {where}"


def _but(key: Key, part: str) -> dict[str, object]:
    return {name: value for name, value in vars(key).items() if name != part}


def _incomparable(one: Measure, other: Measure) -> str | None:
    """Why rows of one key cannot be compared all the same."""
    if one.row.shows_digits and _hash(one.file) != _hash(other.file):
        return "the workload differs, by its hash"
    if one.unit[0] != other.unit[0]:
        return f"counted per {one.unit[0]} in one, per {other.unit[0]} in the other"
    if one.row.question == "training" and one.row.presentations != other.row.presentations:
        return (
            f"{one.row.presentations} presentations in one, {other.row.presentations} in the other"
        )
    if not (one.seconds.median and other.seconds.median):
        return "took no time by the clock"
    return None


def _hash(file: ResultFile) -> object:
    return file.workload["hash"]
