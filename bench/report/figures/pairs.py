"""Figures that set two questions side by side: presentations a second, one by one and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.report.figures import canvas, marks
from bench.report.figures.palette import FAINT, of_device
from bench.report.rows.measures import Measure, best, fit
from bench.report.wording import TIMES, joined, quantity, significant, times
from zipnet import paper

ROOM: Final = 16
TICKS: Final = tuple((10.0**power, quantity(10.0**power, 1)) for power in range(-2, 14))


@dataclass(frozen=True)
class Pair:
    """What a figure of pairs asks and says."""

    title: str
    subtitle: str
    one: tuple[str, str]  # question, words for the key
    many: tuple[str, str]
    reference: tuple[float, str]
    notes: tuple[str, ...]


BATCHES: Final = Pair(
    title="Digit by digit, or all digits at once",
    subtitle=f"Training digits shown a second, log axis. {TIMES}: full batch against one by one.",
    one=("sgd-queued", "one digit a step"),
    many=("fullbatch", f"full batch, {paper.TRAIN_DIGITS:,} digits a step"),
    reference=(
        paper.PRESENTATIONS / paper.SUN_TRAINING_SECONDS,
        f"SUN-4/260: {significant(paper.PRESENTATIONS / paper.SUN_TRAINING_SECONDS, 2)}",
    ),
    notes=(
        "Throughput, not learning: a full-batch pass is one weight update, where the other "
        "makes 7,291.",
        "Dashed: 167,693 presentations in three days, LeCun et al. 1989.",
    ),
)
RECOGNITION: Final = Pair(
    title="Recognising digits",
    subtitle=f"Digits recognised a second, log axis. {TIMES}: all at once against one by one.",
    one=("inference-one", "one digit, then wait"),
    many=("inference-all", "all test digits at once"),
    reference=(
        paper.DSP_DIGITS_PER_SECOND,
        f"PC with DSP-32C: {significant(paper.DSP_DIGITS_PER_SECOND, 2)}",
    ),
    notes=(
        "Dashed: 'more than 30 classifications per second' on normalised digits, LeCun et al. "
        "1989; from camera to class the PC and its DSP made 10 to 12.",
    ),
)


def draw(pair: Pair, measures: Sequence[Measure]) -> Figure:
    """Draw one row for each engine and device, with both rates and the ratio between them."""
    ones = {m.combination: m for m in best(measures, pair.one[0])}
    manies = {m.combination: m for m in best(measures, pair.many[0])}
    every = sorted((ones | manies).values(), key=rate, reverse=True)
    rows = fit(every, ROOM, lambda measure: measure.machine)
    notes = [
        *pair.notes,
        "The better thread count of each is shown. Whiskers: 95% interval of the median.",
        *marks.disturbed_note([*ones.values(), *manies.values()]),
        *canvas.left_out(len(every) - len(rows)),
    ]
    sheet = canvas.sheet(
        pair.title, pair.subtitle, canvas.names_of(rows), notes, key=_key(pair, rows)
    )
    panel = sheet.panels[0]
    rates = [pair.reference[0], *map(rate, ones.values()), *map(rate, manies.values())]
    low = min(rates) / 4
    high = low * (max(rates) / low) ** 1.3  # room for the values written at the right
    canvas.log_axis(panel, low, high, TICKS)
    marks.reference(panel, *pair.reference)
    for y, row in enumerate(rows):
        _row(panel, y, ones.get(row.combination), manies.get(row.combination))
    return sheet.figure


def _row(panel: Any, y: int, one: Measure | None, many: Measure | None) -> None:
    """Both rates, their intervals, and at the right the larger with the ratio."""
    for measure, shape in ((one, "o"), (many, "s")):
        if measure and measure.presentations_per_second:
            color = of_device(measure.row.device)
            interval = measure.presentations_per_second
            marks.mark(panel, y, rate(measure), color, shape, disturbed=measure.disturbed)
            marks.whisker(panel, y, interval.low, interval.high, color)
    rates = [rate(measure) for measure in (one, many) if measure]
    slow, fast = min(rates), max(rates)
    ratio = times(rate(many) / rate(one)) if one and many else None
    marks.beside(panel, y, fast, joined((quantity(fast), ratio)))
    if one and many:
        marks.beside(panel, y, slow, quantity(slow), left=True)
        color = of_device(one.row.device)
        panel.plot([slow, fast], [y, y], color=color, linewidth=2, alpha=0.35, zorder=1)


def rate(measure: Measure) -> float:
    """Median presentations a second; best() lets no row through that has none."""
    return measure.presentations_per_second.median if measure.presentations_per_second else 0.0


def _key(pair: Pair, rows: Sequence[Measure]) -> list[Line2D]:
    devices = sorted({row.row.device for row in rows})
    return [
        marks.key_entry(pair.one[1], FAINT, "o"),
        marks.key_entry(pair.many[1], FAINT, "s"),
        *(marks.key_entry(device, of_device(device)) for device in devices),
    ]
