"""The marks that all figures speak with: a value, its interval, its number, its key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from matplotlib.lines import Line2D

from bench.report.figures.canvas import SMALL
from bench.report.figures.palette import ACCENT, PAPER
from bench.report.rows.measures import Measure

SIZES: Final = {"o": 7.5, "s": 7.0, "D": 5.5}  # points; equal to the eye, not to the ruler
DASHED: Final = (0, (4, 2))


def mark(
    panel: Any,
    y: float,
    x: float,
    color: str,
    shape: str = "o",
    *,
    hollow: bool = False,
    disturbed: bool = False,
) -> None:
    """One value: filled; hollow where it was not measured; crossed where it was disturbed."""
    hollow = hollow or disturbed
    panel.plot(
        [x],
        [y],
        marker=shape,
        markersize=SIZES[shape],
        markerfacecolor=PAPER if hollow else color,
        markeredgecolor=color,
        markeredgewidth=1.6,
        linestyle="none",
        zorder=4,
        clip_on=False,
    )
    if disturbed:
        panel.plot(
            [x],
            [y],
            marker="x",
            markersize=0.5 * SIZES[shape],
            markeredgecolor=color,
            markeredgewidth=1.3,
            linestyle="none",
            zorder=5,
            clip_on=False,
        )


def whisker(panel: Any, y: float, low: float | None, high: float | None, color: str) -> None:
    """The 95% interval of a median; nothing where there were too few rounds for one."""
    if low is not None and high is not None:
        panel.plot([low, high], [y, y], color=color, linewidth=2.2, zorder=3)


def disturbed_note(rows: Iterable[Measure]) -> list[str]:
    """The line of small print that explains a crossed mark, where there is one."""
    if not any(row.disturbed for row in rows):
        return []
    return ["Hollow with a cross: something else was at work meanwhile; no verdict rests on it."]


def beside(panel: Any, y: float, x: float, text: str, *, left: bool = False) -> None:
    """A value written next to its mark, so that no legend and no grid line is needed."""
    panel.annotate(
        text,
        (x, y),
        xytext=(-9 if left else 9, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        size=SMALL + 0.5,
        annotation_clip=False,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},  # no line through the text
    )


def key_entry(text: str, color: str, shape: str = "o", *, hollow: bool = False) -> Line2D:
    """One entry of the key above a figure."""
    return Line2D(
        [],
        [],
        marker=shape,
        linestyle="none",
        color=color,
        markerfacecolor=PAPER if hollow else color,
        markeredgewidth=1.5,
        markersize=0.85 * SIZES[shape],
        label=text,
    )


def reference(panel: Any, x: float, text: str) -> None:
    """A machine of 1989: a dashed line through the panel, its name above."""
    panel.axvline(x, color=ACCENT, linewidth=1.3, linestyle=DASHED, zorder=1)
    panel.annotate(
        text,
        (x, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="left",
        size=SMALL - 0.5,
        color=ACCENT,
    )
