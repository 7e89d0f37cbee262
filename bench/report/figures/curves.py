"""Figures of laws: the cost of a digit by the size of its batch, of a MAC by the width of its net.

Steps take a + b x. Both figures draw what a unit of x costs, from the fixed cost of asking for a
step down to the cost of the work alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from bench.report.figures import sheet
from bench.report.figures.palette import MUTED, of_device
from bench.report.figures.sheet import Dot, Look, Sheet, Ticks, log_axis, share
from bench.report.wording import duration, joined, percent, quantity, significant
from zipnet import paper
from zipnet.results.sweep import WORST_ERROR, Law

ROOM: Final = 8  # curves that can be told apart
BATCHES: Final = tuple((b, f"{b:,}") for b in (1, 4, 16, 64, 256, 1024, paper.TRAIN_DIGITS))
SHAPES: Final = ("o", "s", "D", ">", "<")
HEIGHT: Final = 3.6  # inches, of the chart
NAMES: Final = 2.3  # at its right; on a phone numbers stand there, and the names below
LINE: Final = 0.16
LAW: Final = (
    "fitted by least squares of relative errors; beside them the worst of these. "
    f"Beyond {percent(WORST_ERROR)} there is no such law, and none is drawn."
)


@dataclass(frozen=True)
class View:
    """What a figure of laws counts.

    x: the column that it is. ticks: of x, the first and the last bound the axis. alt: what is
    drawn, in words. law: a curve's own, beside it. told: the same in the alt, in full.
    """

    x: str
    title: str
    subtitle: str
    note: str
    ticks: Ticks
    alt: str
    law: Callable[[Any], str]
    told: Callable[[Any], str]


SWEEP: Final = View(
    x="batch",
    title="What a digit costs in a batch of one, of some, of all",
    subtitle="Time of a training step by the digits in it, against the digits in it; both axes "
    "log.",
    note="Dashed: t(B) = a + b B, the time of a step on B digits. a is the fixed cost of a step, "
    f"b the cost of a digit, {LAW}",
    ticks=BATCHES,
    alt="Time of a training step by the digits in it, for batches of 1 to 7,291 digits.",
    law=lambda fit: f"a {duration(fit.fixed.median)}, b {duration(fit.each.median)}",
    told=lambda fit: (
        f"fixed cost of a step {duration(fit.fixed.median)}, a digit "
        f"{duration(fit.each.median)}, as much as each other at {significant(fit.half, 2)} digits"
    ),
)
LADDER: Final = View(
    x="macs",
    title="From how much work on a step is more work than dispatch",
    subtitle="Time of a training step by its MACs, against its MACs; networks of multiples of the "
    "width of 1989; both axes log.",
    note="Dashed: t = a + b MACs, the time of a step. a is the fixed cost of asking for it, 1 / b "
    f"the rate once it works, a / b the MACs of which half is dispatch, {LAW}",
    ticks=sheet.TICKS[""][11:18],
    alt="Time of a training step by its MACs, for networks of growing width.",
    law=lambda fit: f"half at {quantity(fit.half, 2)} MACs",
    told=lambda fit: (
        f"fixed cost of a step {duration(fit.fixed.median)}, then {quantity(1 / fit.each.median)} "
        f"MAC/s, half of a step dispatch at {quantity(fit.half, 2)} MACs"
    ),
)


@dataclass(frozen=True)
class Curves:
    """The figure as values, before it has a size."""

    fits: Sequence[Law]
    view: View = SWEEP

    @property
    def alt(self) -> str:
        """The figure in words, with the least and the most that the fixed cost of a step is."""
        held = [fit for fit in self.fits if fit.holds]
        lawless = [name_of(fit) for fit in self.fits if not fit.holds]
        said = [
            f"{name_of(fit)}: {self.view.told(fit)}, off by {percent(fit.worst_error)} at most"
            for fit in held[:1] + held[1:][-1:]
        ]
        if lawless:
            more = f" and {len(lawless) - 3} more" if len(lawless) > 3 else ""
            said.append(f"no such law: {', '.join(lawless[:3])}{more}")
        return f"{self.view.alt} {'; '.join(said)}." if said else self.view.alt

    def draw(self, look: Look) -> Figure:
        """Draw a curve for each engine and device that was swept, its law dashed where it holds.

        Of too many, those are shown whose last step is the cheapest by what is in it.
        """
        view = self.view
        shown = sorted(self.fits, key=self._end)[:ROOM]
        several = len({fit.source.machine for fit in shown}) > 1
        crossed = sheet.crossed(row for fit in shown for row in fit.rows)
        notes = (view.note, *crossed, *sheet.left_out(len(self.fits) - len(shown)))
        words = sheet.Words(view.title, view.subtitle, notes)
        drawn, panel = chart(look, words, len(shown))
        every = [cost for fit in shown for _, cost in self._points(fit)]
        domain = (min(every, default=2e-7) / 2, max(every, default=5e-3) * 2)
        log_axis(panel, (0.8 * view.ticks[0][0], 1.25 * view.ticks[-1][0]), view.ticks)
        log_axis(panel, domain, sheet.TICKS["s"], "y")
        ends = []
        for at, fit in enumerate(shown):
            color, shape = of_device(fit.source.device), SHAPES[at % len(SHAPES)]
            points = self._points(fit)
            curve(panel, [(x, Dot(cost, color, shape, disturbed=row.disturbed))
                          for row, (x, cost) in zip(fit.rows, points, strict=True)])  # fmt: skip
            if fit.holds:
                along = np.geomspace(points[0][0], points[-1][0], 50)
                law = [fit.seconds(x) / x for x in along]
                panel.plot(along, law, color=color, linewidth=1.0, linestyle=sheet.DASHED, zorder=1)
            name = joined((name_of(fit), fit.source.machine if several else None))
            height = share(self._end(fit), domain)
            ends.append(End(height, Dot(0, color, shape), name, self._law(fit)))
        beside(drawn, ends)
        return drawn.figure

    def _points(self, fit: Law) -> list[tuple[float, float]]:
        """Each row's x, and its time by it."""
        xs = [float(getattr(row, self.view.x)) for row in fit.rows]
        return [(x, row.value / x) for x, row in zip(xs, fit.rows, strict=True)]

    def _end(self, fit: Law) -> float:
        return self._points(fit)[-1][1]

    def _law(self, fit: Law) -> str:
        worst = f"off by {percent(fit.worst_error)}"
        return f"{self.view.law(fit)}, {worst}" if fit.holds else f"no such law, {worst}"


class End(NamedTuple):
    """What stands at the end of a curve: at which share of the height, whose mark, who, what."""

    height: float
    dot: Dot
    name: str
    text: str


def chart(look: Look, words: sheet.Words, curves: int) -> tuple[Sheet, Any]:
    """A sheet with one panel and room for what is said of so many curves."""
    below = 0.0 if look.names else (2 * LINE + 0.06) * curves + 0.1
    drawn = Sheet(look, words, HEIGHT + 0.35 + below)
    left = 0.75 if look.names else 0.62
    return drawn, drawn.panel(left, drawn.top, _right(look) - left, HEIGHT)


def curve(panel: Any, dots: Sequence[tuple[float, Dot]]) -> None:
    """Dots, each at its place on the axis below, and a line through them."""
    xs, ys = zip(*((x, dot.at) for x, dot in dots), strict=True)
    panel.plot(xs, ys, color=dots[0][1].color, linewidth=1.6, alpha=0.5, zorder=2)
    for x, dot in dots:
        sheet.mark(panel, x, dot.at, dot)


def _right(look: Look) -> float:
    return look.width - (NAMES if look.names else 0.25)


def beside(drawn: Sheet, ends: Sequence[End]) -> None:
    """Name curves, the lowest first: beside the panel, on a phone below it by their numbers."""
    look, right = drawn.look, _right(drawn.look)
    if not ends:
        middle = (right + 0.7) / 2, drawn.top + HEIGHT / 2
        drawn.text(*middle, sheet.NOTHING, ha="center")
    heights = _spread([end.height for end in ends], (2 * LINE + 0.04) / HEIGHT)
    looks = {"size": look.small}
    for at, (height, (_, dot, name, text)) in enumerate(zip(heights, ends, strict=True)):
        x, y = right + 0.08, drawn.top + HEIGHT * (1 - height)
        if not look.names:
            number = len(ends) - at  # from the top
            drawn.text(x, y, f"{number}", color=dot.color, **looks)
            name = f"{number}  {name}"
            x, y = look.margin, drawn.top + HEIGHT + 0.45 + (2 * LINE + 0.06) * (number - 0.5)
        name = sheet.fitting(name, look.small, look.width - x - look.margin - sheet.KEY_MARK)
        sheet.mark(drawn.marks, x + 0.06, y - LINE / 2, dot, 0.85)
        drawn.text(x + sheet.KEY_MARK, y - LINE / 2, name, color=dot.color, **looks)
        drawn.text(x, y + LINE / 2, text, color=MUTED, **looks)


def _spread(heights: Sequence[float], apart: float) -> list[float]:
    """Heights from the bottom, moved up where a name would lie on the one below it."""
    made: list[float] = []
    for height in heights:
        made.append(max(height, made[-1] + apart) if made else height)
    return [height - max(0.0, made[-1] - 1) for height in made]


def name_of(fit: Law) -> str:
    """Who made a curve's steps."""
    row = fit.source
    batch = f"batch {row.batch:,.0f}" if row.question == "width" else None
    return joined((row.engine, row.device, batch))
