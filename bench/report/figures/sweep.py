"""The figure of batches: what a digit costs in a step of one, of a few, of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from bench.report.figures import canvas, marks
from bench.report.figures.palette import of_device
from bench.report.rows.measures import Measure, first_of_each
from bench.report.rows.sweep import Fit, fits
from bench.report.wording import duration, joined, significant
from zipnet import paper

ROOM: Final = 8  # curves that can be told apart
BATCHES: Final = (1, 4, 16, 64, 256, 1024, paper.TRAIN_DIGITS)
SHAPES: Final = ("o", "s", "D")
NEAREST: Final = 0.062  # of the axis' height, between two names at its right


def draw(measures: Sequence[Measure]) -> Figure:
    """Draw a curve for each engine and device that was swept, the law fitted to it dashed."""
    every = fits(measures)
    several = len({fit.source.machine for fit in every}) > 1
    shown = every if len(every) <= ROOM else _one_a_machine(every)[:ROOM]
    notes = [
        "Dashed: t(B) = a + b B, the time of a step on B digits, fitted by least squares of "
        "relative errors."
        + (
            ""
            if several
            else " At the right: a, what asking for a step costs; b, what a digit costs."
        ),
        *marks.disturbed_note(row for fit in shown for row in fit.rows),
        *canvas.left_out(len(every) - len(shown)),
    ]
    sheet = canvas.chart(
        "What a digit costs in a batch of one, of some, of all",
        "Time of a training step by the digits in it, against the digits in it; both axes log.",
        notes,
    )
    panel = sheet.panels[0]
    costs = [row.seconds.median / (row.row.batch or 1) for fit in shown for row in fit.rows]
    low, high = (min(costs) / 2, max(costs) * 2) if costs else (1e-7, 1e-2)
    ticks = [(batch, f"{batch:,}") for batch in BATCHES]
    canvas.log_axis(panel, 0.8, 1.25 * paper.TRAIN_DIGITS, ticks)
    canvas.log_axis(panel, low, high, canvas.SECONDS, "y")
    if not shown:
        panel.annotate("no row answers this", (0.5, 0.5), xycoords="axes fraction", ha="center")
    for at, fit in enumerate(shown):
        _curve(panel, fit, SHAPES[at % len(SHAPES)])
    _names(panel, shown, several=several)
    return sheet.figure


def _one_a_machine(every: Sequence[Fit]) -> list[Fit]:
    """The cheapest digit of each machine, cheapest first."""
    cheapest = sorted(every, key=lambda fit: fit.digit.median)
    return first_of_each(cheapest, lambda fit: fit.source.machine)


def _curve(panel: Any, fit: Fit, shape: str) -> None:
    color = of_device(fit.source.row.device)
    batches = [row.row.batch or 1 for row in fit.rows]
    costs = [row.seconds.median / batch for row, batch in zip(fit.rows, batches, strict=True)]
    panel.plot(batches, costs, color=color, linewidth=1.6, alpha=0.5, zorder=2)
    for row, batch, cost in zip(fit.rows, batches, costs, strict=True):
        marks.mark(panel, cost, batch, color, shape, disturbed=row.disturbed)
    line = np.geomspace(batches[0], batches[-1], 50)
    law = [fit.seconds(batch) / batch for batch in line]
    panel.plot(line, law, color=color, linewidth=1.0, linestyle=marks.DASHED, zorder=1)


def _names(panel: Any, shown: Sequence[Fit], *, several: bool) -> None:
    """Each curve's name beside its end, moved up where it would lie on another's."""
    taken = -1.0
    for fit in sorted(shown, key=_end):
        height = max(panel.transLimits.transform((0, np.log10(_end(fit))))[1], taken + NEAREST)
        taken = height
        row = fit.source.row
        text = joined((row.engine, row.device, fit.source.machine if several else None))
        costs = f"a {duration(fit.asking.median)}, b {duration(fit.digit.median)}"
        panel.annotate(
            canvas.fitting(text, canvas.SMALL, 2.1)
            if several
            else f"{canvas.fitting(text, canvas.SMALL, 1.2)}   {costs}",
            (1.015, height),
            xycoords="axes fraction",
            va="center",
            size=canvas.SMALL,
            color=of_device(row.device),
            annotation_clip=False,
        )


def _end(fit: Fit) -> float:
    last = fit.rows[-1]
    return last.seconds.median / (last.row.batch or 1)


def alt(measures: Sequence[Measure]) -> str:
    """The figure in words, with the least and the most that asking for a step costs."""
    text = "Time of a training step by the digits in it, for batches of 1 to 7,291 digits."
    every = fits(measures)
    if not every:
        return text
    said = [
        f"{joined((fit.source.row.engine, fit.source.row.device))}: asking "
        f"{duration(fit.asking.median)}, a digit {duration(fit.digit.median)}, as much as each "
        f"other at {significant(fit.half, 2)} digits"
        for fit in (every[0], every[-1])
    ]
    return f"{text} {'; '.join(first_of_each(said, lambda line: line))}."
