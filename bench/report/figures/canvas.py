"""What all figures share: colours, the sheet they are drawn on, and how they reach the disk.

A figure is a list of rows: a name at the left, marks on one or more logarithmic panels at the
right. All measures are in inches, from the top, so that a figure grows with its rows and no text
is ever cut. The same input gives the same bytes.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextToPath
from matplotlib.ticker import FixedLocator, NullLocator

from bench.report.figures.palette import GRID, INK, MUTED, PAPER
from bench.report.rows.measures import Measure
from bench.report.wording import cut, joined

WIDTH: Final = 9.0  # inches: 900 px at the size a reader sees
PNG_DPI: Final = 200  # two pixels for each of those, for fine screens
NAMES: Final = 2.8  # width of the column of names
CHART: Final = 3.6  # height of a chart of curves, and the room at its sides for numbers and names
CHART_LEFT: Final = 0.75
CHART_RIGHT: Final = 2.3
RIGHT: Final = 0.35
ROW: Final = 0.3
TALL_ROW: Final = 0.42  # where a machine stands below a name, or a value above a mark
SMALL: Final = 8.0  # points
NORMAL: Final = 9.5
NOTE_CHARACTERS: Final = 170  # what fits in one line of small print
LONGEST_NAME: Final = 100  # characters, before widths are looked at
UNITS: Final = ("ns", "\N{MICRO SIGN}s", "ms", "s")
SECONDS: Final = tuple(  # ticks of an axis of time: 1 ns, 10 ns, ... 100 s
    (10.0 ** (power - 9), f"{10 ** (power % 3)} {UNITS[power // 3]}") for power in range(12)
)

SETTINGS: Final[Any] = {
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

_METER: Final = TextToPath()


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
    row = TALL_ROW if panels > 1 or any(name.machine for name in names) else ROW
    body = row * max(len(names), 1)
    extra = 0.24 if panels > 1 else 0.0
    figure, above, below = _frame(title, subtitle, notes, key, body, extra)
    height = above + body + below

    gap = 0.22
    wide = (WIDTH - NAMES - RIGHT - gap * (panels - 1)) / panels
    made = []
    for at in range(panels):
        left = NAMES + at * (wide + gap)
        place = (left / WIDTH, below / height, wide / WIDTH, body / height)
        made.append(_panel(figure, place, len(names)))
    if not names:
        made[0].annotate("no row answers this", (0.5, 0.5), xycoords="axes fraction", ha="center")
    for at, name in enumerate(names):
        _write_name(figure, name, 1 - (above + row * (at + 0.5)) / height, height)
    return Sheet(figure, tuple(made))


def chart(title: str, subtitle: str, notes: Sequence[str], key: Sequence[Line2D] = ()) -> Sheet:
    """Lay out a figure of curves: both axes are the caller's, logarithmic; see log_axis."""
    figure, above, below = _frame(title, subtitle, notes, key, CHART, 0.1)
    height = above + CHART + below
    place = (CHART_LEFT / WIDTH, below / height, 1 - (CHART_LEFT + CHART_RIGHT) / WIDTH)
    panel = figure.add_axes((*place, CHART / height))
    panel.set_facecolor("none")
    for side in ("left", "right", "top"):
        panel.spines[side].set_visible(False)
    panel.tick_params(length=0, labelsize=SMALL, pad=4)
    panel.grid(color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    return Sheet(figure, (panel,))


def _frame(
    title: str,
    subtitle: str,
    notes: Sequence[str],
    key: Sequence[Line2D],
    body: float,
    extra: float,
) -> tuple[Figure, float, float]:
    """Everything around the panels; returns the figure and the inches above and below them."""
    lines = [line for note in notes for line in textwrap.wrap(note, NOTE_CHARACTERS)]
    above = 0.86 + (0.3 if key else 0.0) + extra
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
    return figure, above, below


def names_of(measures: Sequence[Measure]) -> list[Name]:
    """Engine and device of each row, with the machine where there are several."""
    several = len({measure.machine for measure in measures}) > 1
    return [
        Name(joined((m.row.engine, m.row.device)), m.machine if several else None) for m in measures
    ]


def left_out(rows: int) -> list[str]:
    """The note of a figure that has no room for everything."""
    return [f"The best of each machine; {rows} further rows are in the tables."] if rows else []


def log_axis(
    panel: Any, low: float, high: float, ticks: Sequence[tuple[float, str]], axis: str = "x"
) -> None:
    """Make an axis of the panel logarithmic, with just these ticks where they lie within."""
    getattr(panel, f"set_{axis}scale")("log")
    getattr(panel, f"set_{axis}lim")(low, high)
    within = [(value, text) for value, text in ticks if low <= value <= high]
    shown = getattr(panel, f"{axis}axis")
    shown.set_major_locator(FixedLocator([value for value, _ in within]))
    shown.set_minor_locator(NullLocator())
    shown.set_ticklabels([text for _, text in within])


def save(draw: Callable[[], Figure]) -> tuple[bytes, bytes]:
    """Draw a figure once and return it as SVG and as PNG."""
    svg, png = io.BytesIO(), io.BytesIO()
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # a reader's matplotlibrc is not part of the input
        mpl.rcParams.update(SETTINGS)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = draw()
        undated = {"Date": None, "Creator": None}
        FigureCanvasSVG(figure).print_figure(svg, format="svg", facecolor=PAPER, metadata=undated)
        FigureCanvasAgg(figure).print_figure(
            png, format="png", facecolor=PAPER, dpi=PNG_DPI, metadata={"Software": None}
        )
    return svg.getvalue(), png.getvalue()


def _panel(figure: Figure, place: tuple[float, float, float, float], rows: int) -> Any:
    panel = figure.add_axes(place)
    panel.set_facecolor("none")
    panel.set_ylim(max(rows, 1) - 0.5, -0.5)
    panel.yaxis.set_major_locator(NullLocator())
    for side in ("left", "right", "top"):
        panel.spines[side].set_visible(False)
    panel.tick_params(axis="x", length=0, labelsize=SMALL, pad=4)
    panel.grid(axis="x", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    return panel


def fitting(text: str, size: float, inches: float) -> str:
    """Cut a name to the room there is, by the widths of its letters."""
    font, shown = FontProperties(size=size), cut(text, LONGEST_NAME)
    while (share := _width(shown, font) / (72 * inches)) > 1 and len(shown) > 1:
        shown = cut(shown, min(len(shown) - 1, int(len(shown) / share) + 1))
    return shown


def _width(text: str, font: FontProperties) -> float:
    width: float = _METER.get_text_width_height_descent(text, font, False)[0]
    return width  # in points


def _write_name(figure: Figure, name: Name, y: float, height: float) -> None:
    x, room = (NAMES - 0.16) / WIDTH, NAMES - 0.28
    shift = 0.075 / height if name.machine else 0.0
    text = fitting(name.text, NORMAL, room)
    figure.text(x, y + shift, text, ha="right", va="center", color=name.color)
    if name.machine:
        machine = fitting(name.machine, SMALL - 1, room)
        figure.text(
            x, y - 1.2 * shift, machine, ha="right", va="center", size=SMALL - 1, color=MUTED
        )
