"""The figure of verdicts: how many times as fast, by question, a line for each engine's threads.

A mark points right where things are faster and left where they are slower, is a square where they
are the same and an empty ring where that cannot be told. Several contestants, and the sizes of a
sweep, are marks on one line.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase
from typing import Any, Final

from bench.report.figures.dots import FEW, Cell, DotPlot, Strip, crowd
from bench.report.figures.palette import ACCENT, INK, MUTED, SCHEMES
from bench.report.figures.sheet import Domain, Dot, Ticks, Words
from bench.report.wording import TIMES, joined, question, significant, span, times
from zipnet.results.noise import Answer
from zipnet.results.verdict import WORDS, Comparison, word

LOOKS: Final[dict[Answer, tuple[str, str, bool]]] = {  # shape, colour, and whether it is empty
    Answer.BETTER: (">", SCHEMES["cuda"][0], False),
    Answer.WORSE: ("<", ACCENT, False),
    Answer.SAME: ("s", INK, False),
    Answer.TOO_FEW: ("o", MUTED, True),
}
OF_WORD: Final = {word(way, unit): look for unit in (*WORDS, "") for way, look in LOOKS.items()}
EN_DASH: Final = " \N{EN DASH} "
COLUMN: Final = 1.75  # inches of the values at the right
REASONS: Final = 12  # that are written out, the commonest
SPREAD: Final = 1.5  # how far beyond all medians intervals are shown; there the edge cuts them
STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2)  # of the axis around 1
MOST_TICKS: Final = 7
NOTE: Final = (
    "Lines: 95% interval, never narrower than equal things were found apart; one that meets the "
    "edge goes on. Band: the margin of sameness, in which a whole interval must lie."
)
SEVERAL: Final = (
    "Of several on one line the first and the last are named, and the others where one points at "
    "them in the SVG, with their reasons; compare --rows says all."
)

Answers = Sequence[tuple[int, dict[str, Any]]]  # the number of a contestant, and its row


def ratio_plot(found: Sequence[Comparison], labels: Sequence[str]) -> DotPlot:
    """Every row compared. labels: of the contestants, the baseline first; they get a letter each
    while there are letters.
    """
    single, lettered = len(found) == 1, len(labels) <= len(ascii_uppercase)
    names = ascii_uppercase[: len(labels)] if lettered else labels
    rows = [(at, row) for at, comparison in enumerate(found) for row in comparison.records()]
    legend, notes = _legend([row for _, row in rows] if single else [])
    band = (1 / (1 + found[0].margin), 1 + found[0].margin)
    lines: dict[tuple[str, str], list[tuple[int, Any]]] = defaultdict(list)
    for at, row in sorted(rows, key=lambda one: (one[1]["key"].order(), one[0])):
        lines[row["question"], row["key"].line].append((at, row))
    strips: list[Strip] = []
    asked = ""
    for (name, line), answers in lines.items():
        ours = [each for one in found for each in one.answered if each.question == name]
        heading = None if name == asked else (question(name), _holds(ours, legend))
        asked = name
        cell = _alone(answers, ours[0].reason, legend) if single else _together(answers, names)
        if lettered and not single:
            cell = replace(cell, right=EN_DASH.join(cell.named), named=())
        strips.append(Strip(line, (replace(cell, band=band),), heading=heading))
    (mean, _), title = found[0].mean("network"), f"How many times as fast as {names[0]}"
    if mean and single:
        title = f"{names[1]} is {times(mean.median, 3)} as fast as {names[0]}"
    who = [f"{name} is {label}." for name, label in zip(names, labels, strict=True) if lettered]
    words = Words(
        title,
        joined((*who, "Faster is to the right of 1; log axis."), " "),
        (NOTE, *(notes or [SEVERAL])),
        tuple((text, _dot(text)) for text in ("faster", "slower", "same", "unclear")),
    )
    domain = _domain([row for _, row in rows], band)
    column = COLUMN if lettered else 0.0
    return DotPlot(words, strips, _ticks(domain), domain=domain, values=column)


def _legend(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, str], list[str]]:
    """The commonest reasons by number, and their words."""
    counted = Counter((row["verdict"], row["reason"]) for row in rows)
    told = [pair for pair, _ in counted.most_common(REASONS)]
    legend = {reason: f"{number}" for number, (_, reason) in enumerate(told, start=1)}
    notes = [f"({legend[reason]}) {verdict}: {reason}." for verdict, reason in told]
    rarer = len(counted) - len(told)
    return legend, notes + ([f"Rarer reasons, {rarer} in all: --rows."] if rarer else [])


def _holds(ours: Sequence[Any], legend: dict[str, str]) -> str:
    """What a question comes to: its mean and verdict; or of several contestants their verdicts."""
    first, *more = ours
    if more:
        counts = sum((each.counts for each in ours), Counter[str]())
        return ", ".join(f"{many} {verdict}" for verdict, many in counts.most_common())
    mean = first.speed and f"{times(first.speed.median, 3)} ({span(*first.speed[1:])})"
    return joined((mean, first.verdict, _numbered([first.reason], legend)), " ")


def _dot(verdict: str, row: dict[str, Any] | None = None, name: str = "") -> Dot:
    shape, color, hollow = OF_WORD[verdict]
    if row is None:
        return Dot(1.0, color, shape, hollow=hollow)
    key, reach = row["key"], span(row["low"], row["high"])
    said = (name, key.text, key.dtype, times(row["speed"], 3), reach, verdict, row["reason"])
    return Dot(row["speed"], color, shape, row["low"], row["high"], hollow, title=joined(said))


def _numbered(reasons: Sequence[str], legend: dict[str, str]) -> str:
    """The numbers of reasons in the legend, as far as they stand there."""
    numbers = ", ".join(dict.fromkeys(legend[reason] for reason in reasons if reason in legend))
    return numbers and f"({numbers})"


def _alone(answers: Answers, reason: str, legend: dict[str, str]) -> Cell:
    """One contestant: its verdict, and the reason where it is not the commonest of the question."""
    rows = sorted((row for _, row in answers), key=lambda row: row["speed"])
    verdicts = dict.fromkeys(row["verdict"] for row in rows)
    numbers = _numbered([row["reason"] for row in rows if row["reason"] != reason], legend)
    ends = dict.fromkeys(significant(row["speed"]) for row in (rows[0], rows[-1]))
    verdict = None if len(verdicts) > 1 or (numbers and len(rows) > 1) else next(iter(verdicts))
    said = (EN_DASH.strip().join(ends) + TIMES, verdict, numbers)
    return Cell(tuple(_dot(row["verdict"], row) for row in rows), joined(said, " "))


def _together(answers: Answers, names: Sequence[str]) -> Cell:
    """Several contestants: the ends of the line say who they are."""
    drawn = []
    for at, row in answers:
        dot = _dot(row["verdict"], row, names[1 + at])
        dot = dot if len(answers) <= FEW else replace(dot, low=None, high=None)
        drawn.append((dot, f"{names[1 + at]} {times(row['speed'], 3)}"))
    return crowd(drawn)


def _domain(rows: Sequence[dict[str, Any]], band: Domain) -> Domain:
    """Every median, and intervals and margins as far as they do not press these together."""
    speeds = [1.0, *(row["speed"] for row in rows)]
    ends = [*band, *(end for row in rows for end in (row["low"], row["high"]) if end)]
    low = max(min(speeds) / SPREAD, min((*speeds, *ends)))
    high = min(max(speeds) * SPREAD, max((*speeds, *ends)))
    return low / 1.04, high * 1.04


def _ticks(domain: Domain) -> Ticks:
    """The finest round ratios that have room, 1 among them."""
    fine = [[1 + step * at for at in range(round(-0.5 / step), 1 + round(1 / step))]
            for step in STEPS]  # fmt: skip
    powers = range(-12, 13)
    decades = [one * 10.0**power for power in powers for one in (1, 2, 5)]
    coarse = [[10.0 ** (step * power) for power in powers] for step in (1, 2, 4)]
    wide = domain[0] < 0.5 or domain[1] > 2
    for values in (*([] if wide else fine), decades, *coarse):
        within = [value for value in values if domain[0] <= value <= domain[1]]
        if len(within) <= MOST_TICKS:
            return [(value, f"{value:,.6g}{TIMES}") for value in within]
    return [(1.0, f"1{TIMES}")]
