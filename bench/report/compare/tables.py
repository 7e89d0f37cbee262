"""Comparisons for a terminal, 100 columns, the answer first; and for programs, as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any, Final

import msgspec

from bench.report.wording import amount, cell, cut, limits, percent, quantity, significant
from zipnet.results.match import Key
from zipnet.results.noise import UNSTEADY, NullTest
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import Kind
from zipnet.results.statistics import Estimate
from zipnet.results.verdict import COLUMNS, Comparison

WIDTH: Final = 100
NAME: Final = 44  # of them for a row's name
DETAILED: Final = 4  # contestants whose rows stand side by side; more have a line each
LONGEST: Final = 200  # a machine's name and its file's, on as many lines as the terminal needs
NAMED: Final = 3  # rows that are named where a reason holds for many
WORDS: Final = ("faster", "slower", "same", "unclear")  # said even of no row
SIDES: Final = ("baseline", "other")
UNCLEAN: Final = " with uncommitted changes"
AVERAGED: Final[tuple[Kind, ...]] = ("network", "machine")
CELLS: Final = tuple(name for name in COLUMNS if name != "kind")


# --- for a person ---------------------------------------------------------------------------------


def names_of(labels: Sequence[str]) -> list[str]:
    """What to call the contestants: a letter each while there are few; else their labels."""
    return list(ascii_uppercase[: len(labels)] if len(labels) <= DETAILED else labels)


def text(
    found: Sequence[Comparison], labels: Sequence[str], names: Sequence[str],
    tested: Mapping[str, NullTest], *, every_row: bool,
) -> Iterator[str]:  # fmt: skip
    """Every line. labels: of the contestants, the baseline first; names: what to call them."""
    few = len(names) <= DETAILED
    yield from _overview(found, labels, names, tested) if few else _summary(found, labels)
    if few and len(found) > 1 and not every_row:
        yield from _side_by_side(found, names)
    elif few or every_row:
        for comparison, name in zip(found, names[1:], strict=True):
            yield from _pair(comparison, (names[0], name))
    if few or every_row:
        yield from _closing(found, everything=every_row)


def _overview(
    found: Sequence[Comparison], labels: Sequence[str], names: Sequence[str],
    tested: Mapping[str, NullTest],
) -> Iterator[str]:  # fmt: skip
    """The headlines, and under them who is who."""
    for comparison, name in zip(found, names[1:], strict=True):
        yield from _wrapped(_headline(comparison, (names[0], name)))
    yield ""
    everybody = [found[0].baseline, *(comparison.other for comparison in found)]
    for run, label, name in zip(everybody, labels, names, strict=True):
        yield cut(f"{name} = {label}, {run.source}{UNCLEAN if run.dirty else ''}", LONGEST)
        yield from textwrap.wrap(_equal(tested[run.name]), WIDTH, initial_indent=4 * " ",
                                 subsequent_indent=4 * " ")  # fmt: skip


def _equal(null: NullTest) -> str:
    count, share = len(null.sources), null.threshold()
    if share >= UNSTEADY:
        return f"too unsteady to tell: {count} equal runs of it may differ by more than twofold"
    told = f"differences count from {percent(share)} on"
    if not count:
        return f"{told}, as on any machine without two further equal runs"
    rows = f"of {null.pairs} equal rows {null.different} called different"
    return f"{told} (by {count} further equal runs; {rows})"


def _headline(found: Comparison, names: tuple[str, str]) -> str:
    """The answer in a sentence: which is faster, by how much, in how many rows."""
    (mean, rows), (machine, _), counts = found.mean("network"), found.mean("machine"), found.counts
    floors = [f"floors {_speed(machine.median)}"] if machine else []
    if mean:
        counted = f"geometric mean of {rows} rows" if rows > 1 else "1 row"
        said = "; ".join([f"{counted}, {_span(mean.low, mean.high)}", *floors])
        answer = f"{names[1]} is {_speed(mean.median)} as fast as {names[0]} ({said})"
    else:
        there = "network" in found.rows["kind"]
        why = "no network row fit for a verdict" if there else "no network row in common"
        answer = f"{names[1]} against {names[0]}: " + ", ".join([why, *floors])
    words = [*WORDS, *sorted(set(counts) - set(WORDS))] if counts else []
    return "; ".join(filter(None, (answer, ", ".join(f"{counts[word]} {word}" for word in words))))


def _summary(found: Sequence[Comparison], labels: Sequence[str]) -> Iterator[str]:
    """One line a contestant, fastest first: for many of them."""
    yield cut(f"times as fast as {labels[0]}, by the geometric mean of network rows", WIDTH)
    yield _line("", "speed", "95% interval", "faster", "slower", "same", "rows")
    lines = []
    for comparison, label in zip(found, labels[1:], strict=True):
        (mean, _), counts = comparison.mean("network"), comparison.counts
        span = _span(mean.low, mean.high) if mean else "nothing to say"
        said = (_speed(mean.median) if mean else "?", span)
        numbers = (*(str(counts[word]) for word in WORDS[:3]), str(counts.total()))
        named = label + (UNCLEAN if comparison.other.dirty else "")
        lines.append((-(mean.median if mean else 0.0), _line(named, *said, *numbers)))
    yield from (line for _, line in sorted(lines))


def _line(name: str, speed: str, interval: str, *numbers: str) -> str:
    counts = "".join(f"{number:>7s}" for number in numbers)
    return f"{cut(name, NAME):{NAME}s} {speed:>8s} {interval:>18s}{counts}"


def _pair(found: Comparison, names: tuple[str, str]) -> Iterator[str]:
    """Two contestants: every row with both values, the ratio, its interval and its verdict."""
    yield ""
    yield (f"{'':{NAME}s} {names[0]:>11s} {names[1]:>11s} {'speed':>7s} {'95% interval':>14s} "
           "verdict")  # fmt: skip
    for row in _records(found):
        sides = [_each(row[f"{side}_value"], row["counted"], row["per"]) for side in SIDES]
        interval = cut(_span(row["low"], row["high"]).replace(" to ", "-"), 14)
        yield (f"{cut(row['key'].text, NAME):{NAME}s} {sides[0]:>11s} {sides[1]:>11s} "
               f"{_speed(row['speed']):>7s} {interval:>14s} {row['verdict']}")  # fmt: skip
    yield from _reasons(found)


def _side_by_side(found: Sequence[Comparison], names: Sequence[str]) -> Iterator[str]:
    """Three or four contestants: for each row every ratio to the baseline, with its verdict."""
    cells: dict[Key, dict[int, str]] = defaultdict(dict)
    for at, comparison in enumerate(found):
        for row in _records(comparison):
            cells[row["key"]][at] = f"{_speed(row['speed'])} {row['verdict']}"
    yield ""
    yield f"{'times as fast as ' + names[0]:{NAME}s}" + "".join(f" {n:>17s}" for n in names[1:])
    for key in sorted(cells, key=Key.order):
        line = "".join(f" {cells[key].get(at, ''):>17s}" for at in range(len(found)))
        yield f"{cut(key.text, NAME):{NAME}s}{line}"
    for comparison in found:
        yield from _reasons(comparison)


def _reasons(found: Comparison) -> Iterator[str]:
    """Why rows are unclear, reasons that hold for many said once."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for row in _records(found):
        if row["verdict"] == "unclear":
            reasons[row["reason"]].append(row["key"].text)
    yield from _grouped("unclear", reasons)


def _closing(found: Sequence[Comparison], *, everything: bool) -> Iterator[str]:
    """What was not compared and why, and in what the files differ."""
    for comparison in found:
        reasons: dict[str, list[str]] = defaultdict(list)
        for row, reason in comparison.matched.alone():
            reasons[reason].append(row)
        yield from _grouped("not compared", reasons, None if everything else NAMED)
    for note in dict.fromkeys(note for comparison in found for note in notes(comparison)):
        yield from _wrapped(f"note: {note}")


def notes(found: Comparison) -> Iterator[str]:
    """In what two files differ besides their machines: nothing that forbids, all that explains."""
    names = found.matched.names
    both = [facts(found.matched.runs, run) for run in (found.baseline, found.other)]
    for what, left, right in zip(both[0], *(each.values() for each in both), strict=True):
        if left != right:
            yield f"{what}: {left or 'unknown'} in {names[0]}, {right or 'unknown'} in {names[1]}"
    one, other = found.baseline.about.dataset, found.other.about.dataset
    if one.name == other.name and one.sha256 != other.sha256:
        yield f"digits: both are called {one.name} and differ"
    for run, name in zip((found.baseline, found.other), names, strict=True):
        if run.namesake:
            yield f"{name}: {run.namesake}"
        if run.dirty:
            yield f"{name} was measured{UNCLEAN}: it is equal to no other run"
        if run.about.status == "interrupted":
            yield f"{name} was interrupted: what it lacks was not measured"
        if run.about.profile in ("smoke", "quick"):
            yield f"{name} is of the {run.about.profile} profile: few rounds a row, wide intervals"
    yield from dict.fromkeys(line for null in found.tested for line in disagreements(null))


def disagreements(null: NullTest) -> Iterator[str]:
    """The runs of a machine that its other ones make next to impossible."""
    for odd in null.odd:
        yield (f"{null.machine} disagrees with itself: {odd.source} ran {_speed(odd.speed)} as "
               f"fast as {odd.equals} equal runs; it sets no threshold")  # fmt: skip


def facts(runs: Runs, run: Run) -> dict[str, str | None]:
    """In what two runs may differ besides their machines and their rows."""
    about, rows = run.about, runs.of(run)
    dtypes = rows["dtype"][rows["kind"] == "network"]
    torch = about.software.get("torch")
    return {
        "schema": str(about.schema),
        "workload": str(about.workload["hash"])[:12],
        "commit": ((about.commit_info and about.commit_info.id) or "unknown")[:8]
        + (UNCLEAN if run.dirty else ""),
        "torch": None if torch is None else str(torch),
        "profile": about.profile,
        "digits": about.dataset.name,
        "all threads": str(run.cores or ""),
        "limits": limits(about),
        "precision": ", ".join(sorted(set(dtypes) - {None})),
    }


def _speed(found: float) -> str:
    """A ratio: 1.52x."""
    return f"{significant(found)}x"


def _span(low: float | None, high: float | None) -> str:
    """The interval of a ratio."""
    if low is None or high is None:
        return "no interval"
    return f"{significant(low)} to {significant(high)}"


def _each(value: float, unit: str, per: str) -> str:
    """What one side needs for one of the works: a value, or a rate where a time is tiny."""
    if unit == "s" and per in ("MAC", "byte"):
        return f"{quantity(1 / value)}/s"
    return amount(value, unit)


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent="    ", break_long_words=False)


def _grouped(
    what: str, reasons: Mapping[str, Sequence[str]], most: int | None = NAMED
) -> Iterator[str]:
    for reason, rows in reasons.items():
        named = "; ".join(rows[:most])
        more = f"; and {len(rows) - most} more" if most is not None and len(rows) > most else ""
        yield from _wrapped(f"{what}: {reason}: {named}{more}")


# --- for programs: numbers in base units ----------------------------------------------------------


def to_csv(found: Sequence[Comparison], labels: Sequence[str]) -> str:
    """One line for each row compared."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*SIDES, *CELLS])
    for comparison, label in zip(found, labels[1:], strict=True):
        for line in _lines(comparison, labels[0], label):
            writer.writerow(map(cell, line.values()))
    return buffer.getvalue()


def to_json(
    found: Sequence[Comparison], labels: Sequence[str], tested: Mapping[str, NullTest]
) -> str:
    """Everything that the terminal shows, and what it has no room for."""
    comparisons = [
        {"other": label,
         "sources": [one.baseline.source, one.other.source],
         "geometric_mean": {kind: _mean(*one.mean(kind)) for kind in AVERAGED},
         "verdicts": one.counts,
         "rows": [*_lines(one, labels[0], label)],
         "not_compared": [alone._asdict() for alone in one.matched.alone()],
         "notes": [*notes(one)]}
        for one, label in zip(found, labels[1:], strict=True)
    ]  # fmt: skip
    tests = {
        name: {"sources": null.sources, "pairs": null.pairs, "called_different": null.different,
               "threshold": {kind: null.threshold(kind) for kind in AVERAGED},
               "odd": [odd._asdict() for odd in null.odd]}
        for name, null in tested.items()
    }  # fmt: skip
    document = {"baseline": labels[0], "comparisons": comparisons, "null_tests": tests}
    return msgspec.json.format(json.dumps(document, allow_nan=False), indent=1)


def _mean(found: Estimate | None, rows: int) -> dict[str, float | None]:
    return dict(zip(("speed", "low", "high", "rows"), (*(found or [None] * 3), rows), strict=True))


def _records(found: Comparison) -> Iterator[dict[str, Any]]:
    """Every row by the names of its columns, with its key; None where a number is missing."""
    columns = [column.tolist() for column in found.rows.values()]
    for key, *values in zip(found.matched.keys, *columns, strict=True):
        known = (None if value != value else value for value in values)
        yield {"key": key, **dict(zip(found.rows, known, strict=True))}


def _lines(found: Comparison, baseline: str, other: str) -> Iterator[dict[str, Any]]:
    """Every row as programs read it."""
    for row in _records(found):
        cells = {name: row[name] for name in CELLS} | {"threads": row["threads"] or None}
        yield dict(zip(SIDES, (baseline, other), strict=True)) | cells
