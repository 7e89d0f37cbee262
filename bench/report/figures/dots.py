"""The one dot-plot: rows with a name and marks, on one or several logarithmic panels.

At a desk the names stand at the left and the panels side by side. On a phone each name stands above
its marks, the values at the right of the name, and the panels stand below each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Final

from matplotlib.figure import Figure

from bench.report.figures import sheet
from bench.report.figures.palette import ACCENT, FAINT, INK, MUTED
from bench.report.figures.sheet import Domain, Dot, Look, Sheet, fitting, share, width_of
from bench.report.wording import joined

ROW: Final = 0.3
TALL_ROW: Final = 0.42  # where a machine stands below a name, or a remark below a value
LINE: Final = 0.165  # of text above marks
MARKS: Final = 0.28  # the marks below it
GAP: Final = 0.22  # between panels
BESIDE: Final = 0.125  # from the middle of a mark to what is written beside it
MIDDLE: Final = 0.58  # of the axis: beyond, the value of a single mark is written left of it


@dataclass(frozen=True)
class Cell:
    """What one row has on one panel: dots, the smallest first, and what is said of them."""

    dots: tuple[Dot, ...] = ()  # none: not measured
    right: str = "not measured"  # of the largest
    left: str = ""  # of the smallest of several
    remark: str = ""
    peak: float | None = None  # what the same machine reached: a tick, with the way there
    stem: bool = False  # a line from the axis to the dot

    @property
    def lines(self) -> list[str]:
        """All that is said, for a place of its own."""
        values = f"{self.left} to {self.right}" if self.left else self.right
        return [values, self.remark] if self.remark else [values]

    def labels(self, domain: Domain) -> list[tuple[list[str], float, bool]]:
        """All that is said beside the dots: lines, from where, and whether leftwards."""
        right = [text for text in (self.right, self.remark) if text]
        if not self.dots:
            return []
        first = self.dots[0].low or self.dots[0].at
        last = self.dots[-1].high or self.dots[-1].at
        if not self.left:
            leftwards = share(last, domain) > MIDDLE
            return [(right, first if leftwards else last, leftwards)]
        return [([self.left], first, True), (right, last, False)]


@dataclass(frozen=True)
class Strip:
    """One row of the figure; the machine only where a figure shows several."""

    name: str
    cells: tuple[Cell, ...]  # one a panel
    machine: str | None = None
    color: str = INK


@dataclass(frozen=True)
class DotPlot:
    """A whole figure as values, before it has a size."""

    words: sheet.Words
    strips: Sequence[Strip]
    ticks: sheet.Ticks
    headings: tuple[str, ...] = ("",)  # one a panel
    reference: tuple[float, str] | None = None  # of 1989
    best: str = ""  # the best row of ours, in words

    @property
    def alt(self) -> str:
        """The figure in words, its best row in numbers."""
        beside = f"Beside {self.reference[1]}." if self.reference else ""
        said = (f"{self.words.title}.", self.words.subtitle, beside, self.best)
        return joined(said, " ")

    @property
    def cells(self) -> list[Cell]:
        """All of them, row by row."""
        return [cell for strip in self.strips for cell in strip.cells]

    def draw(self, look: Look) -> Figure:
        """Lay it out for a desk or a phone."""
        columns = len(self.headings) if look.names else 1
        beside = bool(look.names) and columns == 1
        first = look.names or look.margin
        width = (look.width - first - (0.3 if look.names else look.margin) + GAP) / columns - GAP
        rows = [self._height(strip, look, width, beside=beside) for strip in self.strips]
        tops = list(accumulate(rows, initial=0.0))
        body = tops[-1] or TALL_ROW
        above = LINE * (len(self.headings) > 1) + 0.2 * (self.reference is not None)
        each = above + body + 0.28  # with the labels of its axis
        disturbed = any(dot.disturbed for cell in self.cells for dot in cell.dots)
        notes = (*self.words.notes, *([sheet.DISTURBED] if disturbed else []))
        drawn = Sheet(look, replace(self.words, notes=notes), each * len(self.headings) / columns)
        domain = self._domain(look, width if beside else 0.0)
        for at, heading in enumerate(self.headings):
            row, column = divmod(at, columns)
            left, top = first + column * (width + GAP), drawn.top + row * each
            panel = drawn.panel(left, top + above, width, body)
            panel.set(ylim=(body, 0), yticks=[])
            sheet.log_axis(panel, domain, self.ticks if self.strips else ())
            drawn.text(left, top + LINE / 2, heading, size=look.normal, weight="bold")
            if self.reference:
                value, name = self.reference
                x = min(width * share(value, domain), width - width_of(name, look.small))
                drawn.text(left + x, top + above - 0.08, name, size=look.small - 0.5, color=ACCENT)
                panel.axvline(value, color=ACCENT, linewidth=1.3, linestyle=sheet.DASHED, zorder=1)
            if not self.strips:
                drawn.text(left + width / 2, top + above + body / 2, sheet.NOTHING, ha="center")
            for strip, down, high in zip(self.strips, tops, rows, strict=False):
                y, cell = top + above + down, strip.cells[at]
                marks = down + high - (high if beside else MARKS) / 2
                if look.names and not column:
                    _name_at_left(drawn, look, strip, top + above + marks)
                for said, x, leftwards in cell.labels(domain) if beside else ():
                    by, side = (-BESIDE, "right") if leftwards else (BESIDE, "left")
                    place = left + width * share(x, domain) + by
                    drawn.text(place, y + high / 2, "\n".join(said), size=look.small + 0.5, ha=side)
                for line, texts in enumerate([] if beside else _lines(look, strip, cell, width)):
                    looks = {"size": look.small if look.names else look.normal}
                    down, named = y + LINE * (line + 0.6), MUTED if line else strip.color
                    drawn.text(left, down, texts[0], color=named, **looks)
                    ink = INK if cell.dots else MUTED
                    drawn.text(left + width, down, texts[1], color=ink, ha="right", **looks)
                _marks(panel, marks, cell, domain)
        return drawn.figure

    def _height(self, strip: Strip, look: Look, width: float, *, beside: bool) -> float:
        """One for all rows where values stand beside marks; else what the lines above them need."""
        if beside:
            remarks = any(cell.remark for cell in self.cells)
            return TALL_ROW if remarks or any(strip.machine for strip in self.strips) else ROW
        return LINE * max(len(_lines(look, strip, cell, width)) for cell in strip.cells) + MARKS

    def _domain(self, look: Look, width: float) -> Domain:
        """From the least value to the largest, and wider until all text has room beside marks."""
        dots = [dot for cell in self.cells for dot in cell.dots]
        values = [value for dot in dots for value in (dot.at, dot.low, dot.high) if value]
        values += [cell.peak for cell in self.cells if cell.peak]
        values += [self.reference[0]] if self.reference else []
        low, high = min(values, default=1.0) / 1.8, max(values, default=1.0) * 1.8
        labels = (
            [label for cell in self.cells for label in cell.labels((low, high))] if width else []
        )
        for text, x, leftwards in 30 * labels:  # again and again: each end moves the other's room
            needs = BESIDE + 0.05 + max(width_of(line, look.small + 0.5) for line in text)
            room = 1 - min(0.8, needs / width)
            if leftwards:
                low = min(low, high / (high / x) ** (1 / room))
            else:
                high = max(high, low * (x / low) ** (1 / room))
        if sum(low <= tick <= high for tick, _ in self.ticks) < 2:
            low = max((0.97 * tick for tick, _ in self.ticks if tick < low), default=low)
        return low, high


def _lines(look: Look, strip: Strip, cell: Cell, room: float) -> list[tuple[str, str]]:
    """What stands above marks: on a phone name and machine at the left, values at the right."""
    names = [] if look.names else [text for text in (strip.name, strip.machine) if text]
    lines = [(fitting(name, look.normal, room), "") for name in names]
    at = 0
    for text in cell.lines:
        while at < len(lines) and width_of(lines[at][0] + text, look.normal) + 0.15 > room:
            at += 1
        left = lines[at][0] if at < len(lines) else ""
        lines[at : at + 1] = [(left, fitting(text, look.normal, room))]
        at += 1
    return lines


def _name_at_left(drawn: Sheet, look: Look, strip: Strip, y: float) -> None:
    x, room, shift = look.names - 0.16, look.names - 0.28, 0.075 if strip.machine else 0.0
    for text, by, size, color in (
        (strip.name, -shift, look.normal, strip.color),
        (strip.machine or "", 1.2 * shift, look.small - 1, MUTED),
    ):
        drawn.text(x, y + by, fitting(text, size, room), ha="right", size=size, color=color)


def _marks(panel: Any, y: float, cell: Cell, domain: Domain) -> None:
    def line(begin: float, end: float, color: str, width: float, alpha: float = 1.0) -> None:
        panel.plot([begin, end], [y, y], color=color, linewidth=width, alpha=alpha, zorder=1)

    for dot in cell.dots:
        if cell.stem:
            line(domain[0], dot.at, dot.color, 1, 0.3)
        if cell.peak:
            line(dot.at, cell.peak, FAINT, 1, 0.6)
            panel.plot(cell.peak, y, "|", ms=11, mew=2, color=INK)
        line(cell.dots[0].at, dot.at, dot.color, 2, 0.35)
        line(dot.low or dot.at, dot.high or dot.at, dot.color, 2.2)
        sheet.mark(panel, dot.at, y, dot)
