"""The figure of the road: from a digit of 1989 to the networks of 2022, and the mark of 2055."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench.report.figures import sheet
from bench.report.figures.curves import SHAPES, End, beside, chart, curve, name_of
from bench.report.figures.palette import ACCENT, FAINT, MUTED, PAPER, of_device
from bench.report.figures.sheet import Dot, Look, log_axis, share
from bench.report.picks import best
from bench.report.wording import duration, joined, quantity, who
from zipnet import paper
from zipnet.results.road import Road, roads
from zipnet.results.runs import records

ROOM: Final = 6  # roads that can be told apart
DOMAIN: Final = (1e5, 1e13)  # MACs a step
TICKS: Final = tuple((10.0**power, quantity(10.0**power, 1)) for power in range(5, 14))
SUN: Final = paper.SUN_TRAINING_SECONDS / paper.PRESENTATIONS  # seconds a step
SMALL: Final = 0.55  # of a mark of one row among many
AIR: Final = 30.0  # times the longest step, above it: room for the names of
MARKS: Final = (  # steps to know the road by, and on which side of their lines their names stand
    (paper.STEP_MACS, "a digit", "left"),
    (paper.TRAIN_DIGITS * paper.STEP_MACS, "all digits", "left"),
    (paper.STEP_MACS_2022, "2022", "right"),
)
TIMES_AGAIN: Final = f"{quantity(paper.TIMES_IN_33_YEARS, 1)} times"
BEYOND: Final = f"2055: {TIMES_AGAIN} as far \N{RIGHTWARDS ARROW}"
NOTES: Final = (
    "Large marks: networks of multiples of the width of 1989. Small: the fastest step of each "
    "engine on one digit, waited for, and on all digits.",
    "Hatched: the 95% interval of the law t = a + b MACs beyond what was measured, to where the "
    "machine's memory ends (weight, gradient and move, 12 bytes a parameter). Where there is no "
    "such law nothing is drawn.",
    f"2022: {TIMES_AGAIN} the MACs of 1989, in a step on one example; 2055: {TIMES_AGAIN} those, "
    "if 33 years more are as 33 were (Karpathy 2022). SUN-4/260: three days by "
    f"{paper.PRESENTATIONS:,} presentations.",
)


@dataclass(frozen=True)
class RoadMap:
    """The figure as values, before it has a size. steps: records of one step on digits of 1989."""

    roads: Sequence[Road]
    steps: Sequence[Any]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> RoadMap:
        """From sound rows."""
        counted = rows[rows["macs"] > 0]
        asked = (best(counted, question) for question in ("sgd-synced", "fullbatch"))
        steps = [records(each.drop_duplicates(["engine", "device"])) for each in asked]
        return cls(roads(rows), [*chain(*steps)])

    @property
    def alt(self) -> str:
        """The figure in words: what a step of 2022 would take, or why that is not known."""
        told = [f"{name_of(road.ladder)}, {said(road)}" for road in self.roads[:3]]
        return joined((
            "The road from 1989: time of a training step by its MACs, from 100 thousand to ten "
            "million million.", *told), " "
        ).rstrip(".") + "."  # fmt: skip

    def draw(self, look: Look) -> Figure:
        """A curve for each ladder, dashed and hatched beyond what was measured."""
        shown = sorted(self.roads[:ROOM], key=lambda road: _end(road)[1])
        several = len({road.source.machine for road in shown}) > 1
        rungs = [row for road in shown for row in road.ladder.rows]
        words = sheet.Words(
            "The road from 1989",
            "Time of a training step by the MACs in it, of networks ever larger; both axes log.",
            (*NOTES, *sheet.crossed([*rungs, *self.steps]),
             *sheet.left_out(len(self.roads) - len(shown))),
            (("SUN-4/260, 1989", Dot(0, ACCENT, "s")),),
        )  # fmt: skip
        drawn, panel = chart(look, words, len(shown))
        reached = [_end(road)[1] for road in shown]
        every = [row.value for row in [*rungs, *self.steps]]
        domain = (min([*every, SUN]) / 2, AIR * max([*every, *reached, SUN]))
        log_axis(panel, DOMAIN, TICKS)
        log_axis(panel, domain, sheet.TICKS["s"], "y")
        _marks(panel, domain[1], look)
        sheet.mark(panel, paper.STEP_MACS, SUN, Dot(SUN, ACCENT, "s", title="SUN-4/260, 1989"))
        for row in self.steps:
            title = joined((row.machine, who(row), duration(row.value)))
            dot = Dot(row.value, of_device(row.device), disturbed=row.disturbed, title=title)
            sheet.mark(panel, row.macs, row.value, dot, SMALL)
        ends = []
        for at, road in enumerate(shown):
            color, shape = of_device(road.source.device), SHAPES[at % len(SHAPES)]
            curve(panel, [(row.macs, Dot(row.value, color, shape, disturbed=row.disturbed))
                          for row in road.ladder.rows])  # fmt: skip
            end, top = _end(road)
            if end > road.last:
                along = np.geomspace(road.last, end, 50)
                law = np.array([road.ladder.between(x) for x in along], float).T
                panel.plot(along, law[0], color=color, linewidth=1.0, linestyle=sheet.DASHED)
                low, high = law[1], np.minimum(law[2], domain[1])
                looks = {"facecolor": "none", "edgecolor": color, "linewidth": 0.0, "alpha": 0.4}
                panel.fill_between(along, low, high, hatch="//////", zorder=1, **looks)
                sheet.mark(panel, end, top, Dot(top, color, "|"), SMALL)
            name = joined((name_of(road.ladder), road.source.machine if several else None))
            ends.append(End(share(top, domain), Dot(0, color, shape), name, said(road)))
        beside(drawn, ends)
        return drawn.figure


def said(road: Road) -> str:
    """What a step of 2022 takes, or why that is not known."""
    found = road.seconds(paper.STEP_MACS_2022)
    return f"2022: {duration(found.median)}" if found else f"{road.why_not(paper.STEP_MACS_2022)}"


def _end(road: Road) -> tuple[float, float]:
    """The last MACs that are drawn of a road, and the seconds there."""
    end = min(max(road.ends, road.last), DOMAIN[1])
    if road.ladder.holds and end > road.last:
        return end, road.ladder.seconds(end)
    return road.last, float(road.ladder.rows[-1].value)


def _marks(panel: Any, top: float, look: Look) -> None:
    """Upright lines at the steps to know the road by, and what lies beyond its end."""
    behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}
    looks: dict[str, Any] = {"size": look.small, "color": MUTED, "va": "top", "bbox": behind}
    looks["textcoords"] = "offset points"
    for macs, name, side in MARKS:
        panel.axvline(macs, color=FAINT, linewidth=1.0, linestyle=":", zorder=1)
        panel.annotate(name, (macs, top), (3 if side == "left" else -3, -1), ha=side, **looks)
    panel.annotate(BEYOND, (DOMAIN[1], top), (0, -14), ha="right", **looks)
