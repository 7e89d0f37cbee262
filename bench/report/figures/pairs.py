"""Figures that set two questions side by side: presentations a second, one by one and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.report.figures import canvas
from bench.report.figures.palette import ACCENT, FAINT, of_device
from bench.report.measures import Measure, best, fit
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
    reference: tuple[float, str] | None
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
    ones = {_who(m): m for m in best(measures, pair.one[0])}
    manies = {_who(m): m for m in best(measures, pair.many[0])}
    every = sorted({**ones, **manies}.values(), key=lambda m: -_rate(m))
    rows = fit(every, ROOM, lambda measure: measure.machine)
    several = len({row.machine for row in rows}) > 1
    names = [
        canvas.Name(joined((m.row.engine, m.row.device)), m.machine if several else None)
        for m in rows
    ]
    left_out = len(every) - len(rows)
    more = [f"The best of each machine; {left_out} further rows are in the tables."]
    sheet = canvas.sheet(
        pair.title,
        pair.subtitle,
        names,
        [*pair.notes, "The better thread count of each is shown. "
         "Whiskers: 95% interval of the median.", *more * bool(left_out)],
        key=_key(pair, rows),
    )  # fmt: skip
    panel = sheet.panels[0]
    rates = [_rate(m) for m in (*ones.values(), *manies.values())]
    edge = [pair.reference[0]] if pair.reference else []
    low, most = min([*rates, *edge], default=1) / 4, max([*rates, *edge], default=1)
    high = low * (most / low) ** 1.3  # room for the values written at the right
    canvas.log_axis(panel, low, high, TICKS)
    for y, row in enumerate(rows):
        one, many = ones.get(_who(row)), manies.get(_who(row))
        color = of_device(row.row.device)
        here = [(m, shape) for m, shape in ((one, "o"), (many, "s")) if m]
        for measure, shape in here:
            rate = measure.presentations_per_second
            canvas.mark(panel, y, _rate(measure), color, shape)
            if rate:
                canvas.whisker(panel, y, rate.low, rate.high, color)
        ends = sorted(_rate(m) for m, _ in here)
        panel.plot([ends[0], ends[-1]], [y, y], color=color, linewidth=2, alpha=0.35, zorder=1)
        ratio = times(_rate(many) / _rate(one)) if one and many else None
        text = joined((quantity(ends[-1]), ratio))
        canvas.beside(panel, y, ends[-1], text)
        if len(ends) > 1:
            canvas.beside(panel, y, ends[0], quantity(ends[0]), left=True)
    if pair.reference:
        value, text = pair.reference
        panel.axvline(value, color=ACCENT, linewidth=1.3, linestyle=(0, (4, 2)), zorder=1)
        panel.annotate(
            text, (value, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="left", size=canvas.SMALL, color=ACCENT,
        )  # fmt: skip
    return sheet.figure


def _key(pair: Pair, rows: Sequence[Measure]) -> list[Line2D]:
    shapes = [
        canvas.key_entry(pair.one[1], FAINT, "o"),
        canvas.key_entry(pair.many[1], FAINT, "s"),
    ]
    devices = sorted({row.row.device for row in rows})
    return shapes + [canvas.key_entry(device, of_device(device), "o") for device in devices]


def _rate(measure: Measure) -> float:
    return measure.presentations_per_second.median if measure.presentations_per_second else 0.0


def _who(measure: Measure) -> tuple[str, str | None, str]:
    return (measure.machine, measure.row.engine, measure.row.device)
