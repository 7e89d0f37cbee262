"""The one dot-plot: rows with a name and marks, on one or several logarithmic panels.

At a desk the names stand at the left and the panels side by side. On a phone each name stands above
its marks, the values at the right of the name, and the panels stand below each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from typing import Any, Final

from matplotlib.figure import Figure

from bench.report.figures import sheet
from bench.report.figures.palette import ACCENT, FAINT, GRID, INK, MUTED
from bench.report.figures.sheet import Domain, Dot, Look, Sheet, fitting, share, width_of
from bench.report.wording import joined

ROW: Final = 0.3
TALL_ROW: Final = 0.42  # where a machine stands below a name, or a remark below a value
CLOSE_ROW: Final = 0.24  # where values stand in a column of their own
LINE: Final = 0.165  # of text above marks
MARKS: Final = 0.28  # the marks below it
GAP: Final = 0.22  # between panels, and above a heading
BESIDE: Final = 0.125  # from the middle of a mark to what is written beside it
MIDDLE: Final = 0.58  # of the axis: beyond, the value of a single mark is written left of it
LONG: Final = 8.0  # inches, from which on an axis has its labels at both ends
FEW: Final = 8  # dots of a row that have room for their full size
TO: Final = "  \N{EN DASH}  "  # between what is said of the first and of the last of many
MOST: Final = 60  # dots of a row; of more so many are shown:
THINNED: Final = 25

Ends = tuple[str, str]  # what stands at the left end of a line, and at its right end


@dataclass(frozen=True)
class Cell:
    """What one row has on one panel: dots, the smallest first, and what is said of them."""

    dots: tuple[Dot, ...] = ()  # none: not measured
    right: str = "not measured"  # of the largest
    left: str = ""  # of the smallest of several
    remark: str = ""
    peak: float | None = None  # what the same machine reached: a tick, with the way there
    stem: bool = False  # a line from the axis to the dot
    band: Domain | None = None  # behind the dots, around 1
    named: tuple[str, ...] = ()  # of dots too many for right and left: what is said above them

    @property
    def lines(self) -> list[str]:
        """All that is said, for a place of its own."""
        if self.named:
            return list(self.named)
        values = f"{self.left} to {self.right}" if self.left else self.right
        return [values, self.remark] if self.remark else [values]

    def labels(self, domain: Domain) -> list[tuple[list[str], float, bool]]:
        """All that is said beside the dots: lines, from where, and whether leftwards."""
        right = [text for text in (self.right, self.remark) if text]
        if not self.dots:
            return [(right, domain[0], False)]
        first = self.dots[0].low or self.dots[0].at
        last = self.dots[-1].high or self.dots[-1].at
        if not self.left:
            leftwards = share(last, domain) > MIDDLE
            return [(right, first if leftwards else last, leftwards)]
        return [([self.left], first, True), (right, last, False)]


def crowd(dots: Sequence[tuple[Dot, str]]) -> Cell:
    """Many dots on one line: what is said of the least and of the largest is written above them."""
    ordered = sorted(dots, key=lambda one: one[0].at)
    if len(ordered) > MOST:
        step = (len(ordered) - 1) / (THINNED - 1)
        ordered = [ordered[round(at * step)] for at in range(THINNED)]
    named = dict.fromkeys(said for _, said in (ordered[0], ordered[-1]))
    return Cell(tuple(dot for dot, _ in ordered), named=tuple(named))


@dataclass(frozen=True)
class Strip:
    """One row of the figure; the machine only where a figure shows several."""

    name: str
    cells: tuple[Cell, ...]  # one a panel
    machine: str | None = None
    color: str = INK
    heading: Ends | None = None  # of the rows from here on: what they are, and what holds of them


@dataclass(frozen=True)
class Pane:
    """One panel where it stands on its sheet, in inches from the left and from the top."""

    drawn: Sheet
    panel: Any
    left: float
    top: float
    width: float
    domain: Domain


@dataclass(frozen=True)
class DotPlot:
    """A whole figure as values, before it has a size."""

    words: sheet.Words
    strips: Sequence[Strip]
    ticks: sheet.Ticks
    headings: tuple[str, ...] = ("",)  # one a panel
    stacked: bool = False  # panels below each other at a desk too
    reference: tuple[float, str] | None = None  # of 1989
    best: str = ""  # the best row of ours, in words
    domain: Domain | None = None  # None: as far as values reach and their texts need
    values: float = 0.0  # inches of a column for what is said; 0: it stands beside the dots

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
        columns = 1 if self.stacked or not look.names else len(self.headings)
        first = look.names or look.margin
        last = max(0.3, self.values) if look.names else look.margin
        width = (look.width - first - last + GAP) / columns - GAP
        rows = [self._height(strip, look, width) for strip in self.strips]
        tops = list(accumulate(rows, initial=0.0))
        body = tops[-1] or TALL_ROW
        long = body > LONG
        above = LINE * (len(self.headings) > 1) + 0.2 * (self.reference is not None or long)
        each = above + body + 0.28  # with the labels of its axis
        dots = (dot for cell in self.cells for dot in cell.dots)
        notes = (*self.words.notes, *sheet.crossed(dots))
        drawn = Sheet(look, replace(self.words, notes=notes), each * len(self.headings) / columns)
        domain = self.domain or self._domain(look, width)
        for at, heading in enumerate(self.headings):
            row, column = divmod(at, columns)
            left, top = first + column * (width + GAP), drawn.top + row * each
            panel = drawn.panel(left, top + above, width, body)
            panel.set(ylim=(body, 0), yticks=[])
            sheet.log_axis(panel, domain, self.ticks if self.strips else ())
            panel.tick_params(labeltop=long and not self.reference)
            drawn.text(left, top + LINE / 2, heading, size=look.normal, weight="bold")
            if self.reference:
                value, words = self.reference
                x = min(width * share(value, domain), width - width_of(words, look.small))
                drawn.text(left + x, top + above - 0.08, words, size=look.small - 0.5, color=ACCENT)
                panel.axvline(value, color=ACCENT, linewidth=1.3, linestyle=sheet.DASHED, zorder=1)
            if not self.strips:
                drawn.text(left + width / 2, top + above + body / 2, sheet.NOTHING, ha="center")
            pane = Pane(drawn, panel, left, top + above, width, domain)
            for strip, begin, end in zip(self.strips, tops, tops[1:], strict=False):
                self._draw_row(pane, strip, strip.cells[at], begin, end, named=not column)
        return drawn.figure

    def _draw_row(
        self, pane: Pane, strip: Strip, cell: Cell, begin: float, end: float, *, named: bool
    ) -> None:
        """What a row has on one panel, from and to so far below its top. named: at the left too."""
        drawn, look, ink = pane.drawn, pane.drawn.look, INK if cell.dots else MUTED
        titles = _heading(strip, look, (look.names or look.margin) + pane.width)
        for line, (said, holds) in enumerate(titles):
            y, right = pane.top + begin + GAP + LINE * (line - 0.2), pane.left + pane.width
            drawn.text(look.margin, y, said, size=look.normal, weight="bold")
            drawn.text(right, y, holds, size=look.small, color=MUTED, ha="right")
        begin += _high(titles)
        lines = self._above(strip, cell, look, pane.width)
        for line, (name, said) in enumerate(lines):
            y = pane.top + begin + LINE * (line + 0.6)
            color = MUTED if line and not look.names else strip.color
            size = look.small if look.names else look.normal
            drawn.text(pane.left, y, name, size=size, color=color)
            x = pane.left + self._across(cell, said, look, pane.width, pane.domain)
            drawn.text(x, y, said, size=size, color=ink, ha="right")
        marks = end - MARKS / 2 if lines else (begin + end) / 2
        if look.names and named:
            _name_at_left(drawn, look, strip, pane.top + marks)
        column_of_its_own = [([cell.right], pane.domain[1], False)]
        beside = column_of_its_own if self.values else cell.labels(pane.domain)
        room = (self.values or 0.8 * pane.width) - BESIDE - 0.05
        for texts, x, leftwards in [] if lines else beside:
            by, side = (-BESIDE, "right") if leftwards else (BESIDE, "left")
            place, size = pane.left + pane.width * share(x, pane.domain) + by, look.small + 0.5
            fit = "\n".join(fitting(text, size, room) for text in texts)
            drawn.text(place, pane.top + marks, fit, size=size, ha=side, color=ink)
        if cell.band:
            pane.panel.fill_betweenx([begin, end], *cell.band, color=GRID, alpha=0.6, lw=0)
            pane.panel.plot([1, 1], [begin, end], color=FAINT, linewidth=1, zorder=0.9)
        _marks(pane.panel, marks, cell, pane.domain)

    def _height(self, strip: Strip, look: Look, width: float) -> float:
        """What a row needs: of lines above its marks; or one for all that have values beside."""
        lines = max(len(self._above(strip, cell, look, width)) for cell in strip.cells)
        remarks = not self.values and any(cell.remark for cell in self.cells)
        tall = remarks or any(strip.machine for strip in self.strips)
        beside = TALL_ROW if tall else CLOSE_ROW if self.values else ROW
        high = LINE * lines + MARKS if lines else beside
        return high + _high(_heading(strip, look, look.names + width))

    def _above(self, strip: Strip, cell: Cell, look: Look, room: float) -> list[Ends]:
        """What stands above marks: on a phone name and machine at the left, values at the right; at
        a desk values where panels stand side by side.
        """
        if self._has_room(look, cell):
            return []
        size = look.small if look.names else look.normal
        said = [TO.join(cell.named)] if look.names and cell.named else cell.lines
        if width_of(said[0], size) > room:
            said = cell.lines
        names = [] if look.names else [text for text in (strip.name, strip.machine) if text]
        lines = [(fitting(name, size, room), "") for name in names]
        at = 0
        for text in chain.from_iterable(sheet.wrapped(text, room, size) for text in said):
            while at < len(lines) and width_of(lines[at][0] + text, size) + 0.15 > room:
                at += 1
            lines[at : at + 1] = [(lines[at][0] if at < len(lines) else "", text)]
            at += 1
        return lines

    def _has_room(self, look: Look, cell: Cell) -> bool:
        """Whether values stand beside marks."""
        return bool(look.names) and len(self.headings) == 1 and not cell.named

    def _across(self, cell: Cell, said: str, look: Look, width: float, domain: Domain) -> float:
        """Where a line above marks ends: at the right, or at a desk over those that it is of."""
        if not look.names or not cell.named:
            return width
        half = width_of(said, look.small) / 2
        middle = sum(share(cell.dots[end].at, domain) for end in (0, -1)) / 2
        return min(width, max(2 * half, width * middle + half))

    def _domain(self, look: Look, width: float) -> Domain:
        """From the least value to the largest, and wider until all text has room beside marks."""
        dots = [dot for cell in self.cells for dot in cell.dots]
        values = [value for dot in dots for value in (dot.at, dot.low, dot.high) if value]
        values += [cell.peak for cell in self.cells if cell.peak]
        values += [self.reference[0]] if self.reference else []
        low, high = min(values, default=1.0) / 1.8, max(values, default=1.0) * 1.8
        beside = [cell for cell in self.cells if cell.dots and self._has_room(look, cell)]
        for cell in 30 * beside:  # again and again: each end moves the other's room
            for text, x, leftwards in cell.labels((low, high)):
                needs = BESIDE + 0.05 + max(width_of(line, look.small + 0.5) for line in text)
                room = 1 - min(0.8, needs / width)
                if leftwards:
                    low = min(low, high / (high / x) ** (1 / room))
                else:
                    high = max(high, low * (x / low) ** (1 / room))
        if sum(low <= tick <= high for tick, _ in self.ticks) < 2:
            low = max((0.97 * tick for tick, _ in self.ticks if tick < low), default=low)
        return low, high


def _heading(strip: Strip, look: Look, room: float) -> list[Ends]:
    """The lines of a heading: what holds of its rows stands at the right, or below."""
    said, holds = strip.heading or ("", "")
    lines = [(line, "") for line in sheet.wrapped(said, room, look.normal, "bold")]
    if lines and width_of(lines[-1][0] + holds, look.normal, "bold") + 0.2 <= room:
        return [*lines[:-1], (lines[-1][0], holds)]
    return [*lines, ("", fitting(holds, look.small, room))] if holds else lines


def _high(heading: Sequence[Ends]) -> float:
    return GAP + LINE * len(heading) - 0.06 if heading else 0.0


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

    if len(cell.dots) > 1:
        one, *others = {dot.color: None for dot in cell.dots}
        line(cell.dots[0].at, cell.dots[-1].at, FAINT if others else one, 2, 0.35)
    for at, dot in enumerate(cell.dots):
        if cell.stem:
            line(domain[0], dot.at, dot.color, 1, 0.3)
        if cell.peak:
            line(dot.at, cell.peak, FAINT, 1, 0.6)
            panel.plot(cell.peak, y, "|", ms=11, mew=2, color=INK)
        if dot.low and dot.high:
            line(dot.low, dot.high, dot.color, 2.2)
        full = len(cell.dots) <= FEW or at in (0, len(cell.dots) - 1)
        sheet.mark(panel, dot.at, y, dot, 1.0 if full else 0.7)
