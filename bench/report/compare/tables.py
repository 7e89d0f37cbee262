"""Comparisons for a terminal as wide as it is, the answer first; for programs, as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any, Final

import msgspec

from bench.report.wording import (
    amount,
    cell,
    cut,
    environment,
    limits,
    percent,
    quantity,
    significant,
    span,
)
from zipnet.results.match import in_order
from zipnet.results.noise import UNSTEADY, NullTest
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import Kind
from zipnet.results.statistics import Estimate
from zipnet.results.verdict import COLUMNS, Answered, Comparison

WIDTH: Final = 100  # columns at most, which is as far as an eye goes back; and where none are known
GAP: Final = 2
INDENT: Final = 4 * " "
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
    tested: Mapping[str, NullTest], *, every_row: bool, columns: int = WIDTH,
) -> Iterator[str]:  # fmt: skip
    """Every line: the answer, what it is for each question, and every row where they are asked for.

    labels: of the contestants, the baseline first; names: what to call them.
    """
    width, few = min(columns, WIDTH), len(names) <= DETAILED
    if few:
        yield from _overview(found, labels, names, tested, width)
        yield from _by_question(found, names, width)
    else:
        yield from _summary(found, labels, width)
    for comparison, name in zip(found, names[1:], strict=True) if every_row else ():
        yield from _pair(comparison, (names[0], name), width, few=few)
    if few or every_row:
        yield from _reasons(found, width)
        yield from _closing(found, width, everything=every_row)
    if few and not every_row:
        yield "Every row: --rows"


def _overview(
    found: Sequence[Comparison], labels: Sequence[str], names: Sequence[str],
    tested: Mapping[str, NullTest], width: int,
) -> Iterator[str]:  # fmt: skip
    """The headlines, and under them who is who."""
    for comparison, name in zip(found, names[1:], strict=True):
        yield from _wrapped(_headline(comparison, (names[0], name)), width)
    yield ""
    everybody = [found[0].baseline, *(comparison.other for comparison in found)]
    for run, label, name in zip(everybody, labels, names, strict=True):
        yield cut(f"{name} = {label}, {run.source}{UNCLEAN if run.dirty else ''}", LONGEST)
        yield from _wrapped(INDENT + sight(tested[run.name], "further equal"), width)


def sight(null: NullTest, equal: str = "equal") -> str:
    """What differences can be told on a machine, and by how many runs that is known."""
    count, share = len(null.sources), null.threshold()
    if share >= UNSTEADY:
        return f"too unsteady to tell: {count} equal runs of it may differ by more than twofold"
    told = f"differences count from {percent(share)} on"
    if not count:
        return f"{told}, as on any machine without two {equal} runs"
    rows = f"of {null.pairs} equal rows {null.different} called different"
    return f"{told} (by {count} {equal} runs; {rows})"


def _headline(found: Comparison, names: tuple[str, str]) -> str:
    """The answer in a sentence: which is faster, by how much, in how many rows."""
    (mean, rows), (machine, _), counts = found.mean("network"), found.mean("machine"), found.counts
    floors = [f"floors {_speed(machine.median)}"] if machine else []
    if mean:
        counted = f"geometric mean of {rows} rows" if rows > 1 else "1 row"
        said = "; ".join([f"{counted}, {span(mean.low, mean.high)}", *floors])
        answer = f"{names[1]} is {_speed(mean.median)} as fast as {names[0]} ({said})"
    else:
        there = "network" in found.rows["kind"]
        why = "no network row fit for a verdict" if there else "no network row in common"
        answer = f"{names[1]} against {names[0]}: " + ", ".join([why, *floors])
    return "; ".join(filter(None, (answer, _counted(counts, WORDS) if counts else "")))


def _counted(counts: Counter[str], always: Sequence[str] = ()) -> str:
    """How often each verdict was given, in one order; of some words even that it never was."""
    words = [word for word in (*WORDS, *sorted(set(counts) - set(WORDS)))
             if counts[word] or word in always]  # fmt: skip
    return ", ".join(f"{counts[word]} {word}" for word in words)


def _summary(found: Sequence[Comparison], labels: Sequence[str], width: int) -> Iterator[str]:
    """One line a contestant, fastest first: for many of them."""
    title = f"times as fast as {labels[0]}, by the geometric mean of network rows"
    yield from _wrapped(title, width)
    lines = []
    for comparison, label in zip(found, labels[1:], strict=True):
        (mean, _), counts = comparison.mean("network"), comparison.counts
        numbers = (*(str(counts[word]) for word in WORDS[:3]), str(counts.total()))
        named = label + (UNCLEAN if comparison.other.dirty else "")
        lines.append((-(mean.median if mean else 0.0), (named, *_of_mean(mean), *numbers)))
    head = ("", "speed", "95% interval", *WORDS[:3], "rows")
    yield from _table(head, [line for _, line in sorted(lines)], width)


def _by_question(found: Sequence[Comparison], names: Sequence[str], width: int) -> Iterator[str]:
    """A line a question: how many rows, their geometric mean, and what it lets one say."""
    single = len(found) == 1
    of_all = [{each.question: each for each in comparison.answered} for comparison in found]
    lines = []
    for question in sorted({name for each in of_all for name in each}, key=in_order):
        answers = [each.get(question) for each in of_all]
        rows = dict.fromkeys(str(each.rows) for each in answers if each)
        told = [_told(each, full=single) if each else ("",) * 3 for each in answers]
        cells = told[0] if single else [f"{speed} {verdict}" for speed, _, verdict in told]
        lines.append((question, " or ".join(rows), *cells))
    head = ("speed", "95% interval", "verdict") if single else names[1:]
    yield ""
    yield from _table((f"times as fast as {names[0]}", "rows", *head), lines, width)


def _told(found: Answered, *, full: bool) -> tuple[str, str, str]:
    """Speed, interval and verdict of a question, and of its rows where they do not say the same."""
    verdict, counts = found.verdict, found.counts
    if counts.keys() != {verdict}:
        verdict += f" ({_counted(counts) if full else f'{counts[verdict]} of {found.rows}'})"
    return *_of_mean(found.speed), verdict


def _of_mean(mean: Estimate | None) -> tuple[str, str]:
    return (_speed(mean.median), span(mean.low, mean.high)) if mean else ("?", "nothing to say")


def _pair(found: Comparison, names: tuple[str, str], width: int, *, few: bool) -> Iterator[str]:
    """Two contestants: every row with both values, the ratio, its interval and its verdict."""
    lines = []
    for row in found.records():
        sides = [_each(row[f"{side}_value"], row["counted"], row["per"]) for side in SIDES]
        interval = span(row["low"], row["high"])
        lines.append((row["key"].text, *sides, _speed(row["speed"]), interval, row["verdict"]))
    yield ""
    if not few:
        yield f"{names[1]} against {names[0]}"
    head = ("", *(names if few else SIDES), "speed", "95% interval", "verdict")
    yield from _table(head, lines, width)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Lines of a name and its cells. No name is cut: where it does not fit beside its cells, they
    stand below it; and each with its heading, where a line has no room for all.
    """
    wide = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    words = max(len(word) for *_, last in (head, *lines) for word in last.split())
    taken = sum(wide[1:-1]) + GAP * len(wide[1:])
    last = words if sum(wide) > width - GAP * len(wide) else wide[-1]
    room = min(wide[0], width - taken - last)
    for name, *cells in (head, *lines) if room >= 0 else lines:
        if len(name) > room:
            yield name
        if room < 0:
            told = (f"{called} {cell}" for called, cell in zip(head[1:], cells, strict=True))
            yield from _wrapped(INDENT + ", ".join(told), width)
            continue
        beside = (name if len(name) <= room else "").ljust(room)
        beside += "".join(map(str.rjust, cells[:-1], (GAP + at for at in wide[1:])))
        yield from textwrap.wrap(cells[-1], width, initial_indent=beside + GAP * " ",
                                 subsequent_indent=" " * (room + taken)) or [beside]  # fmt: skip


def _reasons(found: Sequence[Comparison], width: int) -> Iterator[str]:
    """Why rows are unclear, reasons that hold for many said once."""
    reasons: dict[str, dict[str, None]] = defaultdict(dict)
    for row in (row for comparison in found for row in comparison.records()):
        if row["verdict"] == "unclear":
            reasons[row["reason"]][row["key"].text] = None
    yield from _grouped("unclear", {reason: [*rows] for reason, rows in reasons.items()}, width)


def _closing(found: Sequence[Comparison], width: int, *, everything: bool) -> Iterator[str]:
    """What was not compared and why, and in what the files differ."""
    for comparison in found:
        reasons: dict[str, list[str]] = defaultdict(list)
        for row, reason in comparison.matched.alone():
            reasons[reason].append(row)
        yield from _grouped("not compared", reasons, width, None if everything else NAMED)
    for note in dict.fromkeys(note for comparison in found for note in notes(comparison)):
        yield from _wrapped(f"note: {note}", width)


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
        "environment": environment(about),
        "precision": ", ".join(sorted(set(dtypes) - {None})),
    }


def _speed(found: float) -> str:
    """A ratio: 1.52x."""
    return f"{significant(found)}x"


def _each(value: float, unit: str, per: str) -> str:
    """What one side needs for one of the works: a value, or a rate where a time is tiny."""
    if unit == "s" and per in ("MAC", "byte"):
        return f"{quantity(1 / value)}/s"
    return amount(value, unit)


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent=INDENT, break_long_words=False,
                         break_on_hyphens=False)  # fmt: skip


def _grouped(
    what: str, reasons: Mapping[str, Sequence[str]], width: int, most: int | None = NAMED
) -> Iterator[str]:
    for reason, rows in reasons.items():
        named = "; ".join(rows[:most])
        more = f"; and {len(rows) - most} more" if most is not None and len(rows) > most else ""
        yield from _wrapped(f"{what}: {reason}: {named}{more}", width)


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
         "questions": [_together(answered) for answered in one.answered],
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


def _together(found: Answered) -> dict[str, Any]:
    named = {"question": found.question, **_mean(found.speed, found.rows)}
    return named | {"verdict": found.verdict, "verdicts": found.counts}


def _mean(found: Estimate | None, rows: int) -> dict[str, float | None]:
    return dict(zip(("speed", "low", "high", "rows"), (*(found or [None] * 3), rows), strict=True))


def _lines(found: Comparison, baseline: str, other: str) -> Iterator[dict[str, Any]]:
    """Every row as programs read it."""
    for row in found.records():
        cells = {name: row[name] for name in CELLS} | {"threads": row["threads"] or None}
        yield dict(zip(SIDES, (baseline, other), strict=True)) | cells
