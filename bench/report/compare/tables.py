"""Comparisons for a terminal: 100 columns, the answer first."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Final

from bench.report.compare.comparison import Compared, Comparison
from bench.report.compare.contestants import Contestant
from bench.report.compare.wording import each, headline, span, speed
from bench.report.rows.keys import Key
from bench.report.verdicts.null import Null
from bench.report.wording import cut, percent

COLUMNS: Final = 100
DETAILED: Final = 4  # contestants whose rows stand side by side; more have a line each
LONGEST: Final = 200  # a machine's name and its file's, on as many lines as the terminal needs
FINE: Final = 3  # free differences between runs: from four runs on, more add little
FEW_RUNS: Final = "; a further run of it would make that finer"
NAMED: Final = 3  # rows that are named where a reason holds for many


def names_of(contestants: Sequence[Contestant]) -> list[str]:
    """A letter each while there are few; else their labels."""
    if len(contestants) <= DETAILED:
        return list(ascii_uppercase[: len(contestants)])
    return [contestant.label for contestant in contestants]


def overview(
    found: Sequence[Comparison], names: Sequence[str], tested: Mapping[str, Null]
) -> Iterator[str]:
    """The headlines, and under them who is who."""
    for comparison, name in zip(found, names[1:], strict=True):
        yield from _wrapped(headline(comparison, (names[0], name)))
    yield ""
    everybody = [found[0].baseline, *(comparison.other for comparison in found)]
    for contestant, name in zip(everybody, names, strict=True):
        yield cut(f"{name} = {contestant.label}, {contestant.file.source}", LONGEST)
        null = tested.get(contestant.file.machine.name)
        yield from textwrap.wrap(_equal(null), COLUMNS, initial_indent=4 * " ",
                                 subsequent_indent=4 * " ")  # fmt: skip


def _equal(null: Null | None) -> str:
    if null is None:
        return "no null test: too few laps to know how far apart equal things are"
    return (
        f"differences count from {percent(null.threshold())} on (equal rows compared {null.how}: "
        f"{null.pairs}, {null.different} called different)"
        f"{FEW_RUNS if null.degrees < FINE else ''}"
    )


def summary(found: Sequence[Comparison]) -> Iterator[str]:
    """One line a contestant, fastest first: for many of them."""
    baseline = found[0].baseline.label
    yield cut(f"times as fast as {baseline}, by the geometric mean of network rows", COLUMNS)
    yield _columns("", "speed", "95% interval", ("faster", "slower", "same", "rows"))
    lines = []
    for comparison in found:
        mean, counts = comparison.mean("network"), comparison.counts
        said = (speed(mean), span(mean)) if mean else ("?", "nothing to say")
        numbers = (counts["faster"], counts["slower"], counts["same"], len(comparison.rows))
        line = _columns(comparison.other.label, *said, tuple(map(str, numbers)))
        lines.append((-(mean.median if mean else 0.0), line))
    yield from (line for _, line in sorted(lines))


def _columns(name: str, speed: str, interval: str, numbers: Sequence[str]) -> str:
    return f"{cut(name, 44):44s} {speed:>8s} {interval:>18s}" + "".join(f"{n:>7s}" for n in numbers)


def pair_table(found: Comparison, names: tuple[str, str]) -> Iterator[str]:
    """Two contestants: every row with both times, the ratio, its interval and its verdict."""
    yield ""
    yield (f"{'':44s} {names[0]:>11s} {names[1]:>11s} {'speed':>7s} {'95% interval':>14s} "
           "verdict")  # fmt: skip
    for row in found.rows:
        sides = [each(m.seconds_per_unit, m.unit[0]) for m in (row.one, row.other)]
        interval = span(row.speed).replace(" to ", "-")
        yield (
            f"{cut(row.key.text, 44):44s} {sides[0]:>11s} {sides[1]:>11s} {speed(row.speed):>7s} "
            f"{cut(interval, 14):>14s} {row.verdict.word}"
        )
    yield from _reasons(found.rows)


def side_by_side(found: Sequence[Comparison], names: Sequence[str]) -> Iterator[str]:
    """Three or four contestants: for each row every ratio to the baseline, with its verdict."""
    rows: dict[Key, dict[int, Compared]] = defaultdict(dict)
    for at, comparison in enumerate(found):
        for row in comparison.rows:
            rows[row.key][at] = row
    yield ""
    yield f"{'times as fast as ' + names[0]:44s}" + "".join(f" {n:>17s}" for n in names[1:])
    for key in sorted(rows, key=Key.order):
        cells = [
            f"{speed(rows[key][at].speed)} {rows[key][at].verdict.word}" if at in rows[key] else ""
            for at in range(len(found))
        ]
        yield f"{cut(key.text, 44):44s}" + "".join(f" {cell:>17s}" for cell in cells)
    for comparison in found:
        yield from _reasons(comparison.rows)


def _reasons(rows: Sequence[Compared]) -> Iterator[str]:
    """Why rows are unclear, reasons that hold for many said once."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.verdict.word == "unclear":
            reasons[row.verdict.reason].append(row.key.text)
    yield from _grouped("unclear", reasons)


def closing(found: Sequence[Comparison], *, everything: bool) -> Iterator[str]:
    """What was not compared and why, and in what the files differ."""
    for comparison in found:
        reasons: dict[str, list[str]] = defaultdict(list)
        for row in comparison.alone:
            reasons[row.reason].append(row.row)
        yield from _grouped("not compared", reasons, None if everything else NAMED)
    for note in dict.fromkeys(note for comparison in found for note in comparison.notes):
        yield from _wrapped(f"note: {note}")


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, COLUMNS, subsequent_indent="    ", break_long_words=False)


def _grouped(
    what: str, reasons: Mapping[str, Sequence[str]], most: int | None = NAMED
) -> Iterator[str]:
    for reason, rows in reasons.items():
        named = "; ".join(rows[:most])
        more = f"; and {len(rows) - most} more" if most is not None and len(rows) > most else ""
        yield from _wrapped(f"{what}: {reason}: {named}{more}")
