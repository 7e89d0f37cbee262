"""The roofline: how fast each engine computes at every batch, and what keeps it from more."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench.report.figures import sheet
from bench.report.figures.curves import SHAPES, End, beside, chart, curve
from bench.report.figures.palette import INK, MUTED, of_device
from bench.report.figures.sheet import Dot, Look, log_axis, share
from bench.report.wording import counted, joined, percent, quantity
from zipnet import paper
from zipnet.results.roofs import BANDWIDTHS, COMPUTE, DISPATCH, EVERY_STEP, Roof, Roofed, roofed

ROOM: Final = 8  # engines that can be told apart
TICKS: Final = tuple((float(x), f"{x}") for x in (1, 2, 5, 10, 20, 50))
APART: Final = 0.15  # inches between two names of roofs, below which they are one
EACH_DIGIT: Final = paper.step_bytes(2) - paper.step_bytes(1)
AIR: Final = 2.0  # times the highest roof, above it: room for its name
NOTES: Final = (
    "MACs a byte: of a step, by the bytes it has to move, of which engines move more; one digit a "
    f"step at the left, all {paper.TRAIN_DIGITS:,} at the right. Marks: the better thread count of "
    "an engine, queued or waited for. Beside it: its share of the nearest roof at both ends.",
    "Dashed: dispatch, the MACs of a step over what asking for one costs, where that is nearest. A "
    "roof does not bound a row above it.",
)

Place = tuple[float, float]


@dataclass(frozen=True)
class Roofline:
    """The figure as values, before it has a size: the engines of one machine, best first."""

    engines: Sequence[Sequence[Roofed]]  # of each its rows by MACs a byte, one a batch

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Roofline:
        """From sound rows: the newest file of those that know their roofs."""
        found = [one for one in roofed(rows, EVERY_STEP) if one.nearest]
        newest = max(((one.source.written, one.source.file) for one in found), default=None)
        together: dict[Any, dict[float, Roofed]] = defaultdict(dict)
        for one in sorted(found, key=lambda one: one.source.macs_per_second):
            if ((row := one.source).written, row.file) == newest:
                together[row.engine, row.device][one.intensity] = one
        curves = [sorted(some.values(), key=lambda r: r.intensity) for some in together.values()]
        return cls(sorted(curves, key=lambda some: -some[-1].source.macs_per_second))

    @property
    def alt(self) -> str:
        """The figure in words: what is nearest for the best of the engines."""
        told = [f"{_name(some)}: {said(some)}" for some in self.engines[:3]]
        return f"Roofline: MACs a second by MACs a byte. {'; '.join(told)}".rstrip(". ") + "."

    def draw(self, look: Look) -> Figure:
        """A curve for each engine below the roofs of its device."""
        shown = self.engines[:ROOM]
        every = [one for some in shown for one in some]
        widest = {one.source.device: one for one in
                  sorted(every, key=lambda one: one.source.threads or 0)}  # fmt: skip
        words = sheet.Words(
            "Which roof is nearest",
            "MACs a second, by MACs a byte; both axes log.",
            (
                *NOTES,
                *sheet.crossed(one.source for one in every),
                *(f"Roofs: {joined((one.source.machine, _held(one)))}." for one in widest.values()),
                *sheet.left_out(len(self.engines) - len(shown)),
            ),
        )
        drawn, panel = chart(look, words, len(shown))
        rates = [one.source.macs_per_second for one in every]
        roofs = [roof.macs_per_second for one in widest.values() for roof in _fixed(one)]
        domain = (min(rates, default=1e8) / 2, AIR * max([*rates, *roofs], default=1e11))
        across = [one.intensity for one in every]
        reach = (0.8 * min(across, default=1.0), 1.25 * max(across, default=50.0))
        log_axis(panel, reach, TICKS)
        log_axis(panel, domain, sheet.TICKS[""], "y")
        for device, one in widest.items():
            _roofs(panel, one, reach, domain, of_device(device) if len(widest) > 1 else INK)
        ends = []
        for at, some in enumerate(shown):
            color, shape = of_device(some[0].source.device), SHAPES[at % len(SHAPES)]
            dots = [(one.intensity, _dot(one, shape)) for one in some]
            curve(panel, dots)
            if some[0].nearest and some[0].nearest.name == DISPATCH:
                asked = _asking(some[0])
                looks = {"color": color, "linewidth": 1.0, "linestyle": sheet.DASHED, "zorder": 1}
                panel.plot(*asked, **looks)
            height = share(dots[-1][1].at, domain)
            ends.append(End(height, Dot(0, color, shape), _name(some), said(some)))
        beside(drawn, sorted(ends, key=lambda end: end.height))
        return drawn.figure


def said(some: Sequence[Roofed]) -> str:
    """The nearest roof of an engine's smallest and largest batch, and how much of it is reached."""
    (name, least), (other, most) = [
        (one.nearest.name if one.nearest else "", percent(one.share)) for one in (some[0], some[-1])
    ]
    if len(some) == 1:
        return f"{name} {least}"
    return f"{name} {least} to {most}" if name == other else f"{name} {least}, {other} {most}"


def _name(some: Sequence[Roofed]) -> str:
    return joined((some[0].source.engine, some[0].source.device))


def _held(one: Roofed) -> str:
    return joined((one.source.device, counted(one.source.threads, "thread")))


def _dot(one: Roofed, shape: str) -> Dot:
    row, nearest = one.source, one.nearest
    of = f"{percent(one.share)} of {nearest.name}" if nearest else ""
    batch = f"{counted(int(row.batch), 'digit')} a step"
    title = joined((_name([one]), batch, f"{quantity(row.macs_per_second)} MAC/s", of))
    color, rate = of_device(row.device), row.macs_per_second
    return Dot(rate, color, shape, disturbed=row.disturbed, title=title)


def _fixed(one: Roofed) -> list[Roof]:
    """Roofs that are the machine's, whatever the engine."""
    return [roof for roof in one.roofs if roof.name != DISPATCH]


def _asking(one: Roofed) -> tuple[Any, Any]:
    """MACs a byte and a second of steps that only asking limits, up to the roofs of arithmetic."""
    (asked,) = (roof.macs_per_second for roof in one.roofs if roof.name == DISPATCH)
    flat = [roof.macs_per_second for roof in _fixed(one) if roof.name in COMPUTE.values()]
    batches = np.geomspace(1, paper.TRAIN_DIGITS, 100)
    rates = asked * batches / one.source.batch
    shown = rates <= min(flat, default=math.inf)
    moved = np.array([paper.step_bytes(1) + (batch - 1) * EACH_DIGIT for batch in batches])
    return (batches * paper.STEP_MACS / moved)[shown], rates[shown]


def _roofs(panel: Any, one: Roofed, reach: Place, domain: Place, color: str) -> None:
    """A line for each roof: bandwidths rise with MACs a byte, arithmetic does not."""
    rising: list[tuple[Place, str]] = []  # heights at both ends, and a name
    level: list[tuple[Place, str]] = []
    for roof in _fixed(one):
        rises = roof.name in BANDWIDTHS.values()
        each, flat = roof.macs_per_second / one.intensity, roof.macs_per_second
        ends = (each * reach[0], each * reach[1]) if rises else (flat, flat)
        panel.plot(reach, ends, color=color, linewidth=1.0, zorder=1)
        rate = f"{quantity(each)}B/s" if rises else quantity(flat)
        (rising if rises else level).append((ends, f"{roof.name} {rate}"))

    def clearance(end: int) -> float:
        """How far the rising lines are from the level ones there."""
        gaps = [abs(math.log(up[end] / flat[end])) for up, _ in rising for flat, _ in level]
        return min(gaps, default=0.0)

    place, (wide, high) = panel.get_position(), panel.figure.get_size_inches()
    height = place.height * high / math.log(domain[1] / domain[0])  # inches a factor of e
    steep = math.degrees(math.atan(height * math.log(reach[1] / reach[0]) / (place.width * wide)))
    free = 1 if clearance(1) >= clearance(0) else 0
    for named, end, angle in ((rising, free, steep), (level, 1, 0.0)):
        looks: dict[str, Any] = {"rotation": angle, "rotation_mode": "anchor", "va": "bottom"}
        looks |= {"size": sheet.NARROW.small - 0.5, "color": MUTED, "ha": ("left", "right")[end]}
        for y, text in _apart([(ends[end], text) for ends, text in named], height):
            at = (reach[end], y)
            panel.annotate(text, at, (2 - 4 * end, 2), textcoords="offset points", **looks)


def _apart(names: Sequence[tuple[float, str]], height: float) -> list[tuple[float, str]]:
    """Names at heights; those that would touch become one, at the highest."""
    kept: list[tuple[float, str]] = []
    for y, text in sorted(names):
        if kept and height * math.log(y / kept[-1][0]) < APART:
            text = f"{kept.pop()[1]}, {text}"
        kept.append((y, text))
    return kept
