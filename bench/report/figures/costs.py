"""The figure of what the fast way costs: seconds until the test error is down, batch by batch."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import pandas as pd

from bench.report.figures.dots import Cell, DotPlot, Strip, crowd
from bench.report.figures.palette import FAINT, of_device
from bench.report.figures.sheet import TICKS, Dot, Words, left_out
from bench.report.figures.specs import BETTER
from bench.report.picks import crowded, whose
from bench.report.wording import duration, joined, times, who
from zipnet import paper
from zipnet.results.price import AIM, Price, prices

ROOM: Final = 24  # rows
SHAPES: Final = ("o", "s", "D", ">")  # of the levels, the highest error first
NOTES: Final = (
    f"Seconds of training alone, median of trainings with different seeds. {BETTER} "
    "Test digits are looked at after every pass, or every ten steps where a pass has fewer.",
    f"Each batch has the learning rate by which the search's own seeds came to {AIM:g}% soonest. "
    "It was chosen on test digits.",
)

Batches = Mapping[float, Sequence[Price]]


def price_plot(rows: pd.DataFrame) -> DotPlot:
    """A line a batch, below a heading for each engine and device; of a crowd a mark a machine."""
    found, many = _better(prices(rows)), crowded(rows)
    together: dict[Any, dict[float, list[Price]]] = defaultdict(lambda: defaultdict(list))
    line = attrgetter(*whose(rows))
    for price in found:
        together[line(price.source)][price.source.batch].append(price)
    several = not many and len({price.source.machine for price in found}) > 1
    strips: list[Strip] = []
    for batches in together.values():  # the soonest first, as their prices are
        if not strips or len(strips) + len(batches) <= ROOM:
            strips += _strips(batches, many=many, several=several)
    errors = sorted({toll.error for price in found for toll in price.tolls}, reverse=True)
    legend = [] if many else [(f"{error:g}% error", Dot(0, FAINT, shape))
                              for error, shape in zip(errors, SHAPES, strict=False)]  # fmt: skip
    devices = sorted({price.source.device for price in found})
    crowd_note = (f"A mark is a machine, at {AIM:g}%.",) if many else ()
    words = Words(
        "What the fast way costs",
        "Seconds of training until so few test digits are misread, by digits a step; log axis, "
        "less is better.",
        (*NOTES, *crowd_note, *left_out(sum(map(len, together.values())) - len(strips))),
        (*legend, *((device, Dot(0, of_device(device))) for device in devices)),
    )
    best = next(iter(found), None)
    said = "" if best is None or best.seconds == math.inf else (
        f"Soonest at {AIM:g}%: {joined((who(best.source), _batch(best.source.batch)))}, "
        f"{duration(best.seconds)}."
    )  # fmt: skip
    return DotPlot(words, strips, TICKS["s"], best=said)


def _better(found: Sequence[Price]) -> list[Price]:
    """Those with the better thread count of each, least seconds first."""
    ordered = sorted(found, key=lambda price: (price.seconds, price.source.value))
    kept: dict[Any, Price] = {}
    for price in ordered:
        row = price.source
        kept.setdefault((row.file, row.engine, row.device, row.batch), price)
    return list(kept.values())


def _strips(batches: Batches, *, many: bool, several: bool) -> list[Strip]:
    """The lines of one engine on one device, digit by digit first."""
    row = next(iter(batches.values()))[0].source
    name = joined((row.engine, row.device, row.machine if several else None))
    heading = (name, "" if many else _against(batches))
    return [
        Strip(_batch(batch), (_crowd(some) if many else _cell(some[0]),),
              heading=heading if at == 0 else None)
        for at, (batch, some) in enumerate(sorted(batches.items()))
    ]  # fmt: skip


def _against(batches: Batches) -> str:
    """What all digits at once cost against one by one, where both got there."""
    one, every = (batches.get(batch) for batch in (1, paper.TRAIN_DIGITS))
    if not one or not every or math.inf in (one[0].seconds, every[0].seconds):
        return ""
    ratio = times(every[0].seconds / one[0].seconds)
    return f"to {AIM:g}% all digits at once take {ratio} as long as one"


def _batch(batch: float) -> str:
    if batch in (1, paper.TRAIN_DIGITS):
        return "one digit a step" if batch == 1 else f"all {paper.TRAIN_DIGITS:,} a step"
    return f"{batch:,.0f} a step"


def _cell(price: Price) -> Cell:
    """A dot for each level that was reached; those that were not are named."""
    row, never = price.source, [toll for toll in price.tolls if toll.seconds is None]
    dots = tuple(
        Dot(toll.seconds, of_device(row.device), shape, disturbed=row.disturbed,
            title=f"{toll.error:g}% in {duration(toll.seconds)}")
        for toll, shape in zip(price.tolls, SHAPES, strict=False)
        if toll.seconds is not None
    )  # fmt: skip
    missing = f"{', '.join(f'{toll.error:g}%' for toll in never)} not reached" if never else ""
    if not dots:
        return Cell(right=missing)
    aim = price.to(AIM)
    said = f"{AIM:g}% in {duration(aim.seconds)}" if aim and aim.seconds is not None else ""
    if aim is None and not missing:
        said = f"nobody went for {AIM:g}%"
    return Cell(dots, said or missing, remark=missing if said else "")


def _crowd(some: Sequence[Price]) -> Cell:
    """A dot a machine, at AIM."""
    dots = []
    for price in some:
        if price.seconds < math.inf:
            row, said = price.source, duration(price.seconds)
            title = joined((row.machine, who(row), _batch(row.batch), f"{AIM:g}% in {said}"))
            dot = Dot(price.seconds, of_device(row.device), disturbed=row.disturbed, title=title)
            dots.append((dot, joined((said, row.machine))))
    return crowd(dots) if dots else Cell(right=f"{AIM:g}% not reached")
