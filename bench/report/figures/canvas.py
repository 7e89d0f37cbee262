"""What all figures share: colours, the sheet they are drawn on, and how they reach the disk.

A figure is a list of rows: a name at the left, marks on one or more logarithmic panels at the
right. All measures are in inches, from the top, so that a figure grows with its rows and no text
is ever cut. The same input gives the same bytes.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from bench.report.figures.palette import GRID, INK, MUTED, PAPER
from bench.report.wording import cut

WIDTH: Final = 9.0  # inches: 900 px at the size a reader sees
NAMES: Final = 2.8  # width of the column of names
RIGHT: Final = 0.35
ROW: Final = 0.3
TALL_ROW: Final = 0.42  # where a machine stands below a name, or a value above a mark
SMALL: Final = 8.0  # points
NORMAL: Final = 9.5
NOTE_CHARACTERS: Final = 158  # what fits in one line of small print
NAME_CHARACTERS: Final = 36
MACHINE_CHARACTERS: Final = 46

SETTINGS: Final[dict[str, Any]] = {
    "font.family": "sans-serif",
    # In SVG, text stays text: found by search and by screen readers. Verdana has the same widths.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Geneva", "sans-serif"],
    "font.size": NORMAL,
    "svg.fonttype": "none",
    "svg.hashsalt": "zipnet",
    "text.parse_math": False,  # a machine's name may hold dollar signs
    "text.color": INK,
    "axes.edgecolor": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}


@dataclass(frozen=True)
class Name:
    """What stands at the left of a row; the machine only where a figure shows several."""

    text: str
    machine: str | None = None
    color: str = INK


@dataclass(frozen=True)
class Sheet:
    """A figure in the making: its panels, whose y axis counts rows from the top."""

    figure: Figure
    panels: tuple[Any, ...]


def sheet(
    title: str,
    subtitle: str,
    names: Sequence[Name],
    notes: Sequence[str],
    panels: int = 1,
    key: Sequence[Line2D] = (),
) -> Sheet:
    """Lay out a figure for so many rows: title, key, panels, small print."""
    lines = [line for note in notes for line in textwrap.wrap(note, NOTE_CHARACTERS)]
    row = TALL_ROW if panels > 1 or any(name.machine for name in names) else ROW
    above = 0.86 + (0.3 if key else 0.0) + (0.24 if panels > 1 else 0.0)
    body = row * max(len(names), 1)
    below = 0.44 + 0.16 * len(lines)
    height = above + body + below
    figure = Figure(figsize=(WIDTH, height), facecolor=PAPER)

    figure.text(0.2 / WIDTH, 1 - 0.32 / height, title, size=14, weight="bold")
    figure.text(0.2 / WIDTH, 1 - 0.6 / height, subtitle, color=MUTED)
    if key:
        figure.legend(
            handles=list(key),
            loc="upper left",
            bbox_to_anchor=(0.12 / WIDTH, 1 - 0.68 / height),
            ncols=len(key),
            frameon=False,
            fontsize=SMALL,
            labelcolor=MUTED,
            handletextpad=0.2,
            columnspacing=1.4,
            borderpad=0.2,
        )
    for at, line in enumerate(reversed(lines)):
        y = (0.12 + 0.16 * at) / height
        figure.text(0.2 / WIDTH, y, line, size=SMALL - 1, color=MUTED)

    gap = 0.22
    wide = (WIDTH - NAMES - RIGHT - gap * (panels - 1)) / panels
    made = []
    for at in range(panels):
        left = NAMES + at * (wide + gap)
        place = (left / WIDTH, below / height, wide / WIDTH, body / height)
        made.append(_panel(figure, place, len(names)))
    for at, name in enumerate(names):
        _write_name(figure, name, 1 - (above + row * (at + 0.5)) / height, height)
    return Sheet(figure, tuple(made))


def log_axis(panel: Any, low: float, high: float, ticks: Sequence[tuple[float, str]]) -> None:
    """Make the panel's x axis logarithmic, with just these ticks where they lie within."""
    panel.set_xscale("log")
    panel.set_xlim(low, high)
    within = [(value, text) for value, text in ticks if low <= value <= high]
    panel.xaxis.set_major_locator(FixedLocator([value for value, _ in within]))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xticklabels([text for _, text in within])


def mark(
    panel: Any, y: float, x: float, color: str, shape: str = "o", *, hollow: bool = False
) -> None:
    """One value: a filled mark, or a hollow one for what was not measured."""
    panel.plot(
        [x],
        [y],
        marker=shape,
        markersize=7.5 if shape != "D" else 5.5,
        markerfacecolor=PAPER if hollow else color,
        markeredgecolor=color,
        markeredgewidth=1.6,
        linestyle="none",
        zorder=4,
        clip_on=False,
    )


def whisker(panel: Any, y: float, low: float | None, high: float | None, color: str) -> None:
    """The 95% interval of a median; nothing where there were too few rounds for one."""
    if low is not None and high is not None:
        panel.plot([low, high], [y, y], color=color, linewidth=2.2, zorder=3)


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
        markersize=6.5 if shape != "D" else 5,
        label=text,
    )


def save(draw: Any, kind: str) -> bytes:
    """Draw a figure and return it as 'svg' or 'png' bytes."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # a reader's matplotlibrc is not part of the input
        mpl.rcParams.update(SETTINGS)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = draw()
        buffer = io.BytesIO()
        if kind == "svg":
            metadata = {"Date": None, "Creator": None}
            FigureCanvasSVG(figure).print_figure(
                buffer, format="svg", facecolor=PAPER, metadata=metadata
            )
        else:
            FigureCanvasAgg(figure).print_figure(
                buffer, format="png", dpi=200, facecolor=PAPER, metadata={"Software": None}
            )
    return buffer.getvalue()


def _panel(figure: Figure, place: tuple[float, float, float, float], rows: int) -> Any:
    panel = figure.add_axes(place)
    panel.set_facecolor("none")
    panel.set_ylim(rows - 0.5, -0.5)
    panel.yaxis.set_major_locator(NullLocator())
    for side in ("left", "right", "top"):
        panel.spines[side].set_visible(False)
    panel.tick_params(axis="x", length=0, labelsize=SMALL, pad=4)
    panel.grid(axis="x", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    return panel


def _write_name(figure: Figure, name: Name, y: float, height: float) -> None:
    x = (NAMES - 0.16) / WIDTH
    shift = 0.075 / height if name.machine else 0.0
    text = cut(name.text, NAME_CHARACTERS)
    figure.text(x, y + shift, text, ha="right", va="center", color=name.color)
    if name.machine:
        machine = cut(name.machine, MACHINE_CHARACTERS)
        figure.text(
            x, y - 1.2 * shift, machine, ha="right", va="center", size=SMALL - 1, color=MUTED
        )
