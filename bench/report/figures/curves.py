"""The figure of batches: what a digit costs in a step of one, of a few, of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from bench.report.figures import sheet
from bench.report.figures.palette import MUTED, of_device
from bench.report.figures.sheet import Dot, Look, Sheet, log_axis, share
from bench.report.wording import duration, joined, percent, significant
from zipnet import paper
from zipnet.results.sweep import WORST_ERROR, Fit

ROOM: Final = 8  # curves that can be told apart
BATCHES: Final = tuple((b, f"{b:,}") for b in (1, 4, 16, 64, 256, 1024, paper.TRAIN_DIGITS))
SHAPES: Final = ("o", "s", "D")
HEIGHT: Final = 3.6  # inches, of the chart
NAMES: Final = 2.3  # at its right; on a phone numbers stand there, and the names below
LINE: Final = 0.16
NOTE: Final = (
    "Dashed: t(B) = a + b B, the time of a step on B digits. a is the fixed cost of a step, b the "
    "cost of a digit, fitted by least squares of relative errors; beside them the worst of these. "
    f"Beyond {percent(WORST_ERROR)} there is no such law, and none is drawn."
)


@dataclass(frozen=True)
class Curves:
    """The figure as values, before it has a size."""

    fits: Sequence[Fit]

    @property
    def alt(self) -> str:
        """The figure in words, with the least and the most that the fixed cost of a step is."""
        text = "Time of a training step by the digits in it, for batches of 1 to 7,291 digits."
        held = [fit for fit in self.fits if fit.holds]
        lawless = [_name(fit) for fit in self.fits if not fit.holds]
        said = [
            f"{_name(fit)}: fixed cost of a step {duration(fit.fixed.median)}, a digit "
            f"{duration(fit.digit.median)}, as much as each other at {significant(fit.half, 2)} "
            f"digits, off by {percent(fit.worst_error)} at most"
            for fit in held[:1] + held[1:][-1:]
        ]
        if lawless:
            more = f" and {len(lawless) - 3} more" if len(lawless) > 3 else ""
            said.append(f"no such law: {', '.join(lawless[:3])}{more}")
        return f"{text} {'; '.join(said)}." if said else text

    def draw(self, look: Look) -> Figure:
        """Draw a curve for each engine and device that was swept, its law dashed where it holds.

        Of too many, those are shown whose digit is cheapest in their last batch.
        """
        shown = sorted(self.fits, key=_end)[:ROOM]
        several = len({fit.source.machine for fit in shown}) > 1
        disturbed = any(row.disturbed for fit in shown for row in fit.rows)
        notes = (NOTE, sheet.DISTURBED) if disturbed else (NOTE,)
        words = sheet.Words(
            "What a digit costs in a batch of one, of some, of all",
            "Time of a training step by the digits in it, against the digits in it; both axes log.",
            (*notes, *sheet.left_out(len(self.fits) - len(shown))),
        )
        below = 0.0 if look.names else (2 * LINE + 0.06) * len(shown) + 0.1
        drawn = Sheet(look, words, HEIGHT + 0.35 + below)
        left = 0.75 if look.names else 0.62
        right = look.width - (NAMES if look.names else 0.25)
        panel = drawn.panel(left, drawn.top, right - left, HEIGHT)
        costs = [row.value / row.batch for fit in shown for row in fit.rows]
        domain = (min(costs, default=2e-7) / 2, max(costs, default=5e-3) * 2)
        log_axis(panel, (0.8, 1.25 * paper.TRAIN_DIGITS), BATCHES)
        log_axis(panel, domain, sheet.TICKS["s"], "y")
        if not shown:
            drawn.text((left + right) / 2, drawn.top + HEIGHT / 2, sheet.NOTHING, ha="center")
        heights = _spread([share(_end(fit), domain) for fit in shown], (2 * LINE + 0.04) / HEIGHT)
        for at, (fit, height) in enumerate(zip(shown, heights, strict=True)):
            color, shape = of_device(fit.source.device), SHAPES[at % len(SHAPES)]
            batches = [row.batch for row in fit.rows]
            costs = [row.value / row.batch for row in fit.rows]
            panel.plot(batches, costs, color=color, linewidth=1.6, alpha=0.5, zorder=2)
            for row, cost in zip(fit.rows, costs, strict=True):
                sheet.mark(panel, row.batch, cost, Dot(cost, color, shape, disturbed=row.disturbed))
            if fit.holds:
                line = np.geomspace(batches[0], batches[-1], 50)
                law = [fit.seconds(batch) / batch for batch in line]
                panel.plot(line, law, color=color, linewidth=1.0, linestyle=sheet.DASHED, zorder=1)
            x, y, looks = right + 0.08, drawn.top + HEIGHT * (1 - height), {"size": look.small}
            name = joined((_name(fit), fit.source.machine if several else None))
            if not look.names:
                number = len(shown) - at  # from the top
                drawn.text(x, y, f"{number}", color=color, **looks)
                name = f"{number}  {name}"
                x, y = look.margin, drawn.top + HEIGHT + 0.45 + (2 * LINE + 0.06) * (number - 0.5)
            name = sheet.fitting(name, look.small, look.width - x - look.margin)
            drawn.text(x, y - LINE / 2, name, color=color, **looks)
            drawn.text(x, y + LINE / 2, _law(fit), color=MUTED, **looks)
        return drawn.figure


def _law(fit: Fit) -> str:
    worst = f"off by {percent(fit.worst_error)}"
    if not fit.holds:
        return f"no such law, {worst}"
    return f"a {duration(fit.fixed.median)}, b {duration(fit.digit.median)}, {worst}"


def _spread(heights: Sequence[float], apart: float) -> list[float]:
    """Heights from the bottom, moved up where a name would lie on the one below it."""
    made: list[float] = []
    for height in heights:
        made.append(max(height, made[-1] + apart) if made else height)
    return [height - max(0.0, made[-1] - 1) for height in made]


def _end(fit: Fit) -> float:
    return float(fit.rows[-1].value / fit.rows[-1].batch)


def _name(fit: Fit) -> str:
    return joined((fit.source.engine, fit.source.device))
