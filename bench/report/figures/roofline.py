"""The figure of roofs: how fast every engine computes, and what keeps it from being faster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Final

import pandas as pd

from bench.report.figures.dots import Cell, DotPlot, Ends, Strip, crowd
from bench.report.figures.palette import INK, of_device
from bench.report.figures.sheet import TICKS, Dot, Words, left_out
from bench.report.figures.specs import BETTER, CROWD
from bench.report.picks import crowded
from bench.report.wording import called, counted, joined, percent, quantity, significant, who
from zipnet import paper
from zipnet.results.roofs import DISPATCH, STEPS, Roofed, roofed

ROOM: Final = 12  # rows of each question
HEADINGS: Final = {
    "sgd-queued": "One digit a step",
    "fullbatch": f"All {paper.TRAIN_DIGITS:,} digits in a step",
}


def roofline_plot(rows: pd.DataFrame) -> DotPlot:
    """Every engine below the nearest of its roofs; of a crowd a mark a machine, without roofs."""
    many, found = crowded(rows), [one for one in roofed(rows) if one.nearest]
    several = not many and len({one.source.machine for one in found}) > 1
    strips: list[Strip] = []
    more = 0
    for question in STEPS:
        together: dict[object, list[Roofed]] = defaultdict(list)
        for one in found:
            if (row := one.source).question == question:
                together[row.engine, row.device, None if many else row.file].append(one)
        for at, group in enumerate(islice(together.values(), ROOM)):
            each = f"{significant(group[0].intensity)} MACs a byte"
            heading = None if at else (HEADINGS[question], each)
            strips.append(_strip(group, heading, many=many, several=several))
        more += max(0, len(together) - ROOM)
    devices = sorted({one.source.device for one in found})
    roof = () if many else (("nearest roof", Dot(0, INK, "|")),)
    words = Words(
        "Which roof is nearest",
        "Multiply-accumulates a second, log axis, and what keeps each engine from more.",
        (
            *(() if many else _roofs_of(found, several=several)),
            "Dispatch: a step cannot be faster than asking for it, as the engine's sweep over "
            "batches shows it, or its smallest batches. A roof that a row is above is none of its.",
            f"Bytes: what a step has to move, {quantity(paper.step_bytes(1))} for one digit; "
            f"engines move more. {BETTER}",
            *((CROWD,) if many else ()),
            *left_out(more),
        ),
        (*((device, Dot(0, of_device(device))) for device in devices), *roof),
    )
    first = next(iter(strips), None)
    said = first and (first.cells[0].named or (first.cells[0].right,))[-1]
    best = f"Best here: {first.name}, {said}." if first else ""
    return DotPlot(words, strips, TICKS[""], best=best, values=0.0 if many else 2.3)


def _strip(group: Sequence[Roofed], heading: Ends | None, *, many: bool, several: bool) -> Strip:
    row, nearest = group[0].source, group[0].nearest
    drawn = [_mark(one, many=many) for one in group]
    name, machine = joined((row.engine, row.device)), row.machine if several else None
    if many:
        return Strip(name, (crowd(drawn),), heading=heading)
    assert nearest is not None, "only such rows are drawn"
    ((dot, text),) = drawn
    cell = Cell((dot,), text, peak=nearest.macs_per_second)
    return Strip(name, (cell,), machine, heading=heading)


def _mark(one: Roofed, *, many: bool) -> tuple[Dot, str]:
    row, nearest = one.source, one.nearest
    assert nearest is not None, "only such rows are drawn"
    text = joined((quantity(row.macs_per_second), f"{percent(one.share)} of {nearest.name}"))
    title = joined((row.machine, who(row), text))
    dot = Dot(row.macs_per_second, of_device(row.device), disturbed=row.disturbed, title=title)
    return dot, joined((text, row.machine)) if many else text


def _roofs_of(found: Sequence[Roofed], *, several: bool) -> list[str]:
    """A note for each question: the roofs of its row with most threads, the lowest first.

    several: whether there is more than one machine; the fastest row's is spoken of then.
    """
    notes = []
    for question in STEPS:
        asked = [one for one in found if one.source.question == question]
        if asked:
            widest = max(asked, key=lambda one: one.source.threads or 0)
            roofs = ", ".join(f"{roof.name} {quantity(roof.macs_per_second)}"
                              for roof in widest.roofs if roof.name != DISPATCH)  # fmt: skip
            machine = called(widest.source.machine) if several else None
            threads = counted(widest.source.threads, "thread")
            where = joined((machine, widest.source.device, threads))
            notes.append(f"{HEADINGS[question]}, {where}: {roofs} MAC/s.")
    return notes
