"""Figure: multiply-accumulates a second, against the DSP of 1989 and the machine's own peak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.figure import Figure

from bench.report.figures import canvas
from bench.report.figures.palette import ACCENT, FAINT, INK, MUTED, of_device
from bench.report.measures import Measure, best, fit
from bench.report.wording import joined, percent, quantity
from zipnet import paper

ROOM: Final = 14
PANELS: Final = (
    ("sgd-queued", "SGD, digit by digit"),
    ("fullbatch", "SGD, full batch"),
    ("inference-all", "recognition, all at once"),
)
TICKS: Final = tuple((10.0**power, quantity(10.0**power, 1)) for power in range(3, 18, 2))


def draw(measures: Sequence[Measure]) -> Figure:
    """Draw one row for each engine and device, one panel for each regime."""
    by_question = {question: best(measures, question) for question, _ in PANELS}
    leading = next((found for found in by_question.values() if found), [])
    rows = fit(leading, ROOM, lambda measure: measure.machine)
    several = len({row.machine for row in rows}) > 1
    names = [
        canvas.Name(joined((m.row.engine, m.row.device)), m.machine if several else None)
        for m in rows
    ]
    sheet = canvas.sheet(
        "How much of the machine is at work",
        "Multiply-accumulates a second, log axis. Tick: the peak that the same machine reached; "
        "per cent: of that peak.",
        names,
        _notes(len(leading) - len(rows)),
        panels=len(PANELS),
    )
    rates = [m.macs_per_second.median for found in by_question.values() for m in found
             if m.macs_per_second]  # fmt: skip
    peaks = [m.peak for found in by_question.values() for m in found if m.peak]
    low = min([*rates, paper.DSP_PEAK_MACS_PER_SECOND]) / 4
    high = max([*rates, *peaks, paper.DSP_PEAK_MACS_PER_SECOND]) * 4
    for panel, (question, heading) in zip(sheet.panels, PANELS, strict=True):
        canvas.log_axis(panel, low, high, TICKS)
        _frame(panel, heading)
        found = {_who(measure): measure for measure in by_question[question]}
        for y, row in enumerate(rows):
            _row(panel, y, found.get(_who(row)))
    return sheet.figure


def _frame(panel: Any, heading: str) -> None:
    """The panel's heading and the DSP of 1989."""
    panel.set_title(heading, loc="left", size=canvas.NORMAL, color=INK, pad=12, weight="bold")
    panel.axvline(
        paper.DSP_PEAK_MACS_PER_SECOND, color=ACCENT, linewidth=1.3, linestyle=(0, (4, 2))
    )
    panel.annotate(
        "DSP-32C peak rating",
        (paper.DSP_PEAK_MACS_PER_SECOND, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-2, 2),
        textcoords="offset points",
        ha="left",
        size=canvas.SMALL - 1,
        color=ACCENT,
    )


def _row(panel: Any, y: float, measure: Measure | None) -> None:
    """The rate, the peak of the same device and threads, and the way between them."""
    if measure is None or measure.macs_per_second is None:
        panel.annotate(
            "not measured", (0.5, y), xycoords=("axes fraction", "data"), ha="center",
            va="center", size=canvas.SMALL - 1, color=MUTED,
        )  # fmt: skip
        return
    rate, color = measure.macs_per_second, of_device(measure.row.device)
    canvas.mark(panel, y, rate.median, color)
    canvas.whisker(panel, y, rate.low, rate.high, color)
    if measure.peak is None or measure.share_of_peak is None:
        return
    panel.plot([rate.median, measure.peak], [y, y], color=FAINT, linewidth=1, alpha=0.6, zorder=1)
    panel.plot([measure.peak], [y], marker="|", markersize=11, markeredgewidth=2, color=INK)
    panel.annotate(
        joined((quantity(rate.median), percent(measure.share_of_peak))),
        (rate.median, y),
        xytext=(-6, 6.5),
        textcoords="offset points",
        ha="left",
        size=canvas.SMALL - 0.5,
    )


def _who(measure: Measure) -> tuple[str, str | None, str]:
    return (measure.machine, measure.row.engine, measure.row.device)


def _notes(left_out: int) -> list[str]:
    notes = [
        f"A step on one digit: {paper.STEP_MACS:,} MACs; a recognition: {paper.MACS:,}. The peak "
        "comes from the same run, device and thread count: a loop of FMAs or a matrix product.",
        "Dashed: AT&T DSP-32C, 12.5 M MAC/s, peak rating of the board that recognised digits in "
        "1989; it did not train. Source: LeCun et al. 1989.",
    ]
    if left_out:
        notes.append(f"The best of each machine; {left_out} further rows are in the tables.")
    return notes
