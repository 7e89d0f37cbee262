"""The sheet that every figure is drawn on: its sizes, the words around it, its way to the disk.

A figure is drawn twice, for a desk and for a phone. All measures are in inches, from the top, so
that a sheet grows with its rows; text is measured before it is placed, so that none is cut and none
lies on another's. The same input gives the same bytes.
"""

from __future__ import annotations

import functools
import io
import math
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath
from matplotlib.ticker import FixedLocator, NullLocator

from bench.report.figures.palette import GRID, INK, MUTED, PAPER
from bench.report.wording import amount, called, cut, quantity
from zipnet.results.units import DAY, HOUR, MINUTE

Ticks = Sequence[tuple[float, str]]
Domain = tuple[float, float]  # of an axis
Looks = dict[str, Any]  # of a text

PNG_DPI: Final = 200  # two pixels for each that a reader sees, for fine screens
UNDATED: Final = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
LONGEST_TEXT: Final = 400  # characters, before widths are looked at
# Of marks, points; equal to the eye.
SIZES: Final = {"o": 7.5, "s": 7.0, "D": 5.5, ">": 7.5, "<": 7.5, "|": 11.0}
TITLED: Final = "says:"  # an id that says what is seen where one points at a mark
SMALL: Final = 0.8  # of such a size
KEY_MARK: Final = 0.18  # inches
KEY_LINE: Final = 0.2
LABEL: Final = 0.5  # of an axis
CLEAR: Final = 0.12
DASHED: Final = (0, (4, 2))
DISTURBED: Final = (
    "Hollow with a cross: something else was at work meanwhile; no verdict rests on it."
)
TITLES: Final = re.compile(rb'<g id="%s([^"]*)">' % TITLED.encode())
NOTHING: Final = "no row answers this"
UNITS: Final = ("ps", "ns", "\N{MICRO SIGN}s", "ms", "s")
SIZE_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
TICKS: Final[dict[str, Ticks]] = {  # by the unit of a value; a rate has none
    "s": (
        *(
            (10.0 ** (power - 12), f"{10 ** (power % 3)} {UNITS[power // 3]}")
            for power in range(14)
        ),
        *((MINUTE, "1 min"), (10 * MINUTE, "10 min"), (HOUR, "1 h"), (10 * HOUR, "10 h")),
        (3 * DAY, "3 days"),
    ),
    "B": tuple((4.0**power, f"{4 ** (power % 5)} {SIZE_UNITS[power // 5]}") for power in range(25)),
    "J": tuple((10.0**power, amount(10.0**power, "J", 1)) for power in range(-6, 13)),
    "": tuple((10.0**power, quantity(10.0**power, 1)) for power in range(-6, 18)),
}
SETTINGS: Final[Any] = {
    # In SVG, text stays text: found by search and by screen readers. Verdana has the same widths.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Geneva", "sans-serif"],
    "svg.fonttype": "none",
    "svg.hashsalt": "zipnet",
    "text.parse_math": False,  # a machine's name may hold dollar signs
    "text.color": INK,
    "axes.edgecolor": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}


@dataclass(frozen=True)
class Look:
    """Sizes of a sheet: inches, and points of its text."""

    width: float
    margin: float
    names: float  # the column of names at the left; 0: a name stands above its marks
    title: float
    normal: float
    small: float


WIDE: Final = Look(9.0, 0.2, 2.8, 14.0, 9.5, 8.0)  # 900 px at a desk
NARROW: Final = Look(3.8, 0.1, 0.0, 11.5, 9.0, 8.0)  # 342 px in a page of 390: 9 pt are 11 px


@dataclass(frozen=True)
class Dot:
    """One value; hollow where it was not measured, crossed where it was disturbed.

    title: what an SVG says of it where one points at it.
    """

    at: float
    color: str
    shape: str = "o"
    low: float | None = None  # 95% interval of the median; None: too few rounds for one
    high: float | None = None
    hollow: bool = False
    disturbed: bool = False
    title: str = ""


@dataclass(frozen=True)
class Words:
    """What is written around a figure: above it, and in small print below."""

    title: str
    subtitle: str
    notes: tuple[str, ...] = ()
    key: tuple[tuple[str, Dot], ...] = ()


class Sheet:
    """A figure in the making: the words are written, and `body` inches below `top` are free."""

    def __init__(self, look: Look, words: Words, body: float) -> None:
        self.look, room = look, look.width - 2 * look.margin
        title: Looks = {"size": look.title, "weight": "bold"}
        normal: Looks = {"size": look.normal, "color": MUTED}
        small: Looks = {"size": look.small - 0.5, "color": MUTED}
        above = [(line, title) for line in wrapped(words.title, room, **title)]
        above += [(line, normal) for line in wrapped(words.subtitle, room, **normal)]
        notes = [line for note in words.notes for line in wrapped(note, room, **small)]
        lines, x = 0, math.inf  # of the key
        placed = []
        for text, dot in words.key:
            wide = KEY_MARK + width_of(text, look.small)
            lines, x = (lines + 1, 0.0) if x + wide > room else (lines, x)
            placed.append((look.margin + x, lines, text, dot))
            x += wide + KEY_MARK
        y = 0.1 + sum(looks["size"] / 54 for _, looks in above)
        self.top = y + KEY_LINE * lines + 0.12
        self.height = self.top + body + 0.16 * len(notes) + 0.15
        self.figure = Figure((look.width, self.height), PNG_DPI, facecolor=PAPER)
        self.marks = key = self.panel(0.0, 0.0, look.width, self.height)  # in inches
        key.set(xlim=(0, look.width), ylim=(self.height, 0), zorder=-1)
        key.set_axis_off()
        for x, line, text, dot in placed:
            mark(key, x + 0.06, y + KEY_LINE * (line - 0.5), dot, 0.85)
            self.text(x + KEY_MARK, y + KEY_LINE * (line - 0.5), text, size=look.small, color=MUTED)
        for text, looks in reversed(above):
            y -= looks["size"] / 54
            self.text(look.margin, y + looks["size"] / 108, text, **looks)
        for at, text in enumerate(notes):
            self.text(look.margin, self.top + body + 0.16 * (at + 0.5), text, **small)

    def text(self, x: float, y: float, text: str, **looks: Any) -> None:
        """Write text, its middle at this height; no line runs through it."""
        behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}
        looks = {"va": "center", "bbox": behind} | looks
        self.figure.text(x / self.look.width, 1 - y / self.height, text, **looks)

    def panel(self, left: float, top: float, width: float, height: float) -> Any:
        """Axes without a frame."""
        across, down = self.look.width, self.height
        place = (left / across, 1 - (top + height) / down, width / across, height / down)
        panel = self.figure.add_axes(place, axisbelow=True, facecolor="none")
        panel.spines[["left", "right", "top"]].set_visible(False)
        panel.tick_params(length=0, labelsize=self.look.small, pad=4)
        return panel


def mark(panel: Any, x: float, y: float, dot: Dot, scale: float = 1.0) -> None:
    """The mark of one value."""
    size, inside = scale * SIZES[dot.shape], PAPER if dot.hollow or dot.disturbed else dot.color
    # A rim of paper tells a small one from its neighbours.
    apart = scale < SMALL and inside == dot.color and dot.shape == "o"
    looks: Looks = {"markeredgecolor": PAPER if apart else dot.color, "clip_on": False, "zorder": 4}
    looks |= {"gid": TITLED + dot.title} if dot.title else {}
    panel.plot(x, y, dot.shape, ms=size, mew=0.8 if apart else 1.6, markerfacecolor=inside, **looks)
    if dot.disturbed:
        panel.plot(x, y, "x", ms=size / 2, mew=1.3, **looks)


def log_axis(panel: Any, domain: Domain, ticks: Ticks, axis: str = "x") -> None:
    """Make an axis logarithmic with these ticks: all, or every so many where they would touch."""
    within = [tick for tick in ticks if domain[0] <= tick[0] <= domain[1]]
    if axis == "x":
        place, sheet = panel.get_position(), panel.figure.get_figwidth()
        inches = place.width * sheet
        middles = [place.x0 * sheet + inches * share(value, domain) for value, _ in within]
        within = [tick for tick, middle in zip(within, middles, strict=True)
                  if width_of(tick[1], WIDE.small) / 2 <= min(middle, sheet - middle)]  # fmt: skip
        within = within[:: math.ceil(LABEL * len(within) / inches) or 1]
    else:  # the labels of the other axis stand at its foot
        foot = CLEAR / (panel.get_position().height * panel.figure.get_figheight())
        within = [tick for tick in within if share(tick[0], domain) > foot]
    getattr(panel, f"set_{axis}scale")("log")
    getattr(panel, f"set_{axis}lim")(*domain)
    shown = getattr(panel, f"{axis}axis")
    shown.set_major_locator(FixedLocator([value for value, _ in within]))
    shown.set_minor_locator(NullLocator())
    shown.set_ticklabels([text for _, text in within])
    panel.grid(axis=axis, color=GRID, linewidth=0.8)


def share(value: float, domain: Domain) -> float:
    """How far along a logarithmic axis a value lies, from 0 to 1."""
    return math.log(value / domain[0]) / math.log(domain[1] / domain[0])


def wrapped(text: str, inches: float, size: float, weight: str = "normal", **_: Any) -> list[str]:
    """Break a text into lines by the widths of its letters."""
    lines: list[str] = []
    for word in cut(text, LONGEST_TEXT).split():
        if lines and width_of(f"{lines[-1]} {word}", size, weight) <= inches:
            lines[-1] += f" {word}"
        else:
            lines.append(fitting(word, size, inches, weight))
    return lines


def fitting(text: str, size: float, inches: float, weight: str = "normal") -> str:
    """Cut a text to the room there is, by the widths of its letters; its end stays."""
    shown = cut(text, LONGEST_TEXT)
    while (ratio := width_of(shown, size, weight) / inches) > 1 and len(shown) > 1:
        shown = called(text, min(len(shown) - 1, int(len(shown) / ratio) + 1))
    return shown


def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Inches that a text takes at most: each letter may be rounded up to whole pixels."""
    return 1.02 * size * sum(_advance(letter, weight) for letter in text)


@functools.lru_cache(4096)
def _advance(letter: str, weight: str) -> float:
    """Inches that a letter takes in each point of its size."""
    font = FontProperties(size=72, weight=weight)
    width: float = TextToPath().get_text_width_height_descent(letter, font, False)[0]
    return width / 72**2


def crossed(rows: Iterable[Any]) -> tuple[str, ...]:
    """The note of a figure where something disturbed a row, or a dot."""
    return (DISTURBED,) if any(row.disturbed for row in rows) else ()


def left_out(rows: int) -> tuple[str, ...]:
    """The note of a figure that has no room for everything."""
    return (f"The best; {rows} further rows are in the tables.",) if rows else ()


def save(draw: Callable[[], Figure], *formats: str) -> list[bytes]:
    """Draw a figure once and return it in each of these formats, svg or png."""
    made = []
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # a reader's matplotlibrc is not part of the input
        mpl.rcParams.update(SETTINGS)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        canvas = FigureCanvasAgg(draw())
        for name in formats:
            file = io.BytesIO()
            looks: Looks = {"facecolor": PAPER, "metadata": UNDATED[name]}
            canvas.print_figure(file, format=name, **looks)
            made.append(re.sub(TITLES, rb"<g><title>\1</title>", file.getvalue()))
    return made
