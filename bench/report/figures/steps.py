"""The figure of steps: what one digit's step takes, waited for or queued, and the first of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.figure import Figure

from bench.report.figures import canvas, marks
from bench.report.figures.palette import FAINT, of_device
from bench.report.rows.dispatch import dispatches
from bench.report.rows.measures import Measure, best, first_of_each, fit
from bench.report.wording import duration, percent

ROOM: Final = 16
PANELS: Final = (
    ("a step on one digit", (("sgd-synced", "o"), ("sgd-queued", "s"))),
    ("from nothing to the first step", (("first-step-cold", "o"), ("first-step-warm", "s"))),
)


def draw(measures: Sequence[Measure]) -> Figure:
    """Draw one row for each engine and device, the quickest queued step first."""
    asked = {
        question: {m.combination: m for m in _best(measures, question)}
        for _, questions in PANELS
        for question, _ in questions
    }
    steps = asked["sgd-synced"] | asked["sgd-queued"]
    every = sorted(steps.values(), key=lambda measure: measure.seconds_each)
    rows = fit(every, ROOM, lambda measure: measure.machine)
    shares = {d.source.combination: d for d in dispatches(measures)}
    notes = [
        "Dispatch: the share of an eager step that is Python, autograd and launches; by replay, "
        "where the same operations were captured in a graph, or else by the sweep over batches."
        if shares
        else "What part of an eager step is dispatch: no row of these files tells.",
        "From nothing: a new process, its imports and its compiling included. The better thread "
        "count of each is shown.",
        *marks.disturbed_note(row for found in asked.values() for row in found.values()),
        *canvas.left_out(len(every) - len(rows)),
    ]
    sheet = canvas.sheet(
        "What a step costs, and the first one",
        "Seconds, log axes. Left: one presentation of per-example SGD. Right: a new process.",
        canvas.names_of(rows),
        notes,
        panels=2,
        key=[
            marks.key_entry("waited for after each; caches cold", FAINT),
            marks.key_entry("queued, one wait for many; caches warm", FAINT, "s"),
        ],
    )
    for panel, (title, questions) in zip(sheet.panels, PANELS, strict=True):
        values = [m.seconds_each for question, _ in questions for m in asked[question].values()]
        low = min(values, default=1e-5) / 3
        high = low * (max(values, default=1.0) / low) ** 2.2  # room for what is written beside
        canvas.log_axis(panel, low, high, _spaced(low, high))
        panel.set_title(title, loc="left", size=canvas.SMALL, color=FAINT, pad=6)
        for y, row in enumerate(rows):
            found = [(asked[question].get(row.combination), shape) for question, shape in questions]
            share = shares.get(row.combination) if questions is PANELS[0][1] else None
            _row(
                panel, y, found, f"{percent(share.share)} dispatch, by {share.by}" if share else ""
            )
    return sheet.figure


def _best(measures: Sequence[Measure], question: str) -> list[Measure]:
    """The better thread count of each, also of rows that show no digits."""
    shown = best(measures, question)
    if shown:
        return shown
    rows = sorted((m for m in measures if m.row.question == question), key=lambda m: m.seconds_each)
    return first_of_each(rows, lambda measure: measure.combination)


def _spaced(low: float, high: float) -> list[tuple[float, str]]:
    """Every tick, or every third where they would touch."""
    within = [tick for tick in canvas.SECONDS if low <= tick[0] <= high]
    return within if len(within) <= 4 else within[::2]


def _row(panel: Any, y: int, found: Sequence[tuple[Measure | None, str]], remark: str) -> None:
    there = [(measure, shape) for measure, shape in found if measure]
    for measure, shape in there:
        color = of_device(measure.row.device)
        marks.mark(panel, y, measure.seconds_each, color, shape, disturbed=measure.disturbed)
    if not there:
        return
    times = sorted(measure.seconds_each for measure, _ in there)
    text = ", ".join(duration(seconds) for seconds in times)
    marks.beside(panel, y, times[-1], f"{text}\n{remark}" if remark else text)
