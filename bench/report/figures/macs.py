"""Figure: multiply-accumulates a second, against the DSP of 1989 and the machine's own peak."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from matplotlib.figure import Figure

from bench.report.figures import canvas, marks
from bench.report.figures.palette import FAINT, INK, MUTED, of_device
from bench.report.rows.measures import Measure, best, first_of_each, fit
from bench.report.wording import joined, percent, quantity
from zipnet import paper

ROOM: Final = 14
PANELS: Final = (
    ("sgd-queued", "SGD, digit by digit"),
    ("fullbatch", "SGD, full batch"),
    ("inference-all", "recognition, all at once"),
)
NOTES: Final = (
    f"A step on one digit: {paper.STEP_MACS:,} MACs; a recognition: {paper.MACS:,}. The peak "
    "comes from the same run, device and thread count: a loop of FMAs or a matrix product.",
    f"Dashed: AT&T DSP-32C, {quantity(paper.DSP_PEAK_MACS_PER_SECOND)} MAC/s, peak rating of the "
    "board that recognised digits in 1989; it did not train. Source: LeCun et al. 1989.",
)
TICKS: Final = tuple((10.0**power, quantity(10.0**power, 1)) for power in range(3, 18, 2))


def draw(measures: Sequence[Measure]) -> Figure:
    """Draw one row for each engine and device, one panel for each regime."""
    by_question = {question: best(measures, question) for question, _ in PANELS}
    every = list(chain.from_iterable(by_question.values()))
    combinations = first_of_each(every, lambda measure: measure.combination)
    rows = fit(combinations, ROOM, lambda measure: measure.machine)
    sheet = canvas.sheet(
        "How much of the machine is at work",
        "Multiply-accumulates a second, log axis. Tick: the peak that the same machine reached; "
        "per cent: of that peak.",
        canvas.names_of(rows),
        [
            *NOTES,
            *marks.disturbed_note(every),
            *canvas.left_out(len(combinations) - len(rows)),
        ],
        panels=len(PANELS),
    )
    values = [paper.DSP_PEAK_MACS_PER_SECOND]
    values += [m.macs_per_second.median for m in every if m.macs_per_second]
    values += [m.peak for m in every if m.peak]
    for panel, (question, heading) in zip(sheet.panels, PANELS, strict=True):
        canvas.log_axis(panel, min(values) / 4, max(values) * 4, TICKS)
        panel.set_title(heading, loc="left", size=canvas.NORMAL, color=INK, pad=13, weight="bold")
        marks.reference(panel, paper.DSP_PEAK_MACS_PER_SECOND, "DSP-32C peak rating")
        found = {measure.combination: measure for measure in by_question[question]}
        for y, row in enumerate(rows):
            _row(panel, y, found.get(row.combination))
    return sheet.figure


def _row(panel: Any, y: int, measure: Measure | None) -> None:
    """The rate, the peak of the same device and threads, and the way between them."""
    if measure is None or measure.macs_per_second is None:
        _write(panel, (0.3, y), ("axes fraction", "data"), "not measured", MUTED)
        return
    rate, color = measure.macs_per_second, of_device(measure.row.device)
    marks.mark(panel, y, rate.median, color, disturbed=measure.disturbed)
    marks.whisker(panel, y, rate.low, rate.high, color)
    share = measure.share_of_peak
    text = joined((quantity(rate.median), percent(share) if share else None))
    _write(panel, (rate.median, y), "data", text, INK)
    if measure.peak:
        ends = [rate.median, measure.peak]
        panel.plot(ends, [y, y], color=FAINT, linewidth=1, alpha=0.6, zorder=1)
        panel.plot(ends[1:], [y], marker="|", markersize=11, markeredgewidth=2, color=INK)


def _write(panel: Any, at: tuple[float, float], coordinates: Any, text: str, color: str) -> None:
    """Write above a mark, towards the middle of its panel: no panel writes into the next."""
    across = 0.0
    if coordinates == "data":
        across, _ = panel.transAxes.inverted().transform(panel.transData.transform(at))
    leftwards = across > 0.6
    panel.annotate(
        text,
        at,
        xycoords=coordinates,
        xytext=(6 if leftwards else -6, 6.5),
        textcoords="offset points",
        ha="right" if leftwards else "left",
        size=canvas.SMALL - 0.5,
        color=color,
    )
