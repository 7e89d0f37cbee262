"""The figures, and the only place that imports matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from bench.report.figures import canvas, macs, pairs, steps, sweep, training
from bench.report.rows.measures import Measure, Training, trainings
from bench.report.wording import duration, joined, times


@dataclass(frozen=True)
class Drawn:
    """One finished figure; `alt` says in words what it shows."""

    name: str
    alt: str
    svg: bytes
    png: bytes


def draw_all(measures: Sequence[Measure]) -> Iterator[Drawn]:
    """Draw every figure there is from the newest run of each machine."""
    runs = trainings(measures)
    yield _drawn("training", _training_alt(runs), partial(training.draw, runs))
    yield _drawn(
        "macs",
        "Multiply-accumulates a second of each engine and device, beside the 12.5 million of the "
        "DSP-32C of 1989 and the peak that the same machine reached.",
        partial(macs.draw, measures),
    )
    yield _drawn(
        "batches",
        "Training digits a second of each engine and device, one digit a step and full batch.",
        partial(pairs.draw, pairs.BATCHES, measures),
    )
    yield _drawn(
        "steps",
        "Time of one step of each engine and device, waited for and queued, with the share of "
        "dispatch in an eager step; and the time from nothing to the first step.",
        partial(steps.draw, measures),
    )
    yield _drawn("sweep", sweep.alt(measures), partial(sweep.draw, measures))
    yield _drawn(
        "recognition",
        "Digits recognised a second of each engine and device, one at a time and all at once, "
        "beside the 30 of 1989.",
        partial(pairs.draw, pairs.RECOGNITION, measures),
    )


def _drawn(name: str, alt: str, draw: Callable[[], Figure]) -> Drawn:
    return Drawn(name, alt, *canvas.save(draw))


def _training_alt(runs: Sequence[Training]) -> str:
    """The figure in one sentence, its fastest row in numbers."""
    text = "Time for the 167,693 presentations of 1989: the SUN-4/260, published runs, and ours."
    if not runs:
        return text
    first = runs[0]
    kind = "measured" if first.measured else "projected"
    return (
        f"{text} Fastest here: {joined((first.source.who, first.source.machine))}, "
        f"{duration(first.seconds.median)} {kind}, {times(first.times_sun)} the SUN."
    )
