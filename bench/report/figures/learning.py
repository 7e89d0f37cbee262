"""The figures of what is learned: every seed, every pass, and every digit misread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from bench.report.factorial import Factorial, Mean
from bench.report.figures import sheet
from bench.report.figures.dots import Cell, DotPlot, Strip
from bench.report.figures.palette import ACCENT, GRID, INK, MUTED, PAPER, of_device
from bench.report.figures.sheet import Dot, Look, Sheet, Words
from bench.report.learned import ARTICLE, Outcome, Reproduction
from zipnet import paper
from zipnet.results.schema import Misread

OURS: Final = of_device("cpu")
MISSES: Final = tuple((float(n), f"{n}") for n in (10, 20, 30, 50, 70, 100, 150, 200, 300, 500))
NEAR: Final = tuple(
    (float(n), f"{n}")
    for n in (1, 2, 5, 10, 20, 30, 40, *range(50, 200, 10), *range(200, 2100, 100))
)
FEWEST: Final = 0.5  # misses: where none at all are drawn, and the end of an interval below
ERRORS: Final = ((0.01, "0.01%"), (0.1, "0.1%"), (1.0, "1%"), (10.0, "10%"), (100.0, "100%"))
LEAST: Final = 0.007  # per cent, half a miss of 7,291: where a curve without misses is drawn
GAP: Final = 0.3


def seeds_plot(found: Reproduction) -> DotPlot:
    """Test misses of every seed of every recipe, with what was published."""
    strips = [Strip(one.name, (_cell(one),)) for one in found.outcomes]
    values = [dot.at for strip in strips for dot in strip.cells[0].dots]
    article = found.article
    words = Words(
        f"{found.title}: test misses, seed by seed",
        f"Of {paper.TEST_DIGITS:,} test digits; log axis, less is better. Numbers: the mean of our "
        "seeds, and their range.",
        (
            "Yes: the published figure lies within the range of our seeds. Beaten: every seed of "
            "ours makes fewer misses. No: by how many misses our best seed has more.",
            "Who published what, and every other published figure: learning.md.",
        ),
        (("a seed of ours", Dot(0, OURS, "|")), ("published", Dot(0, ACCENT, "D"))),
    )
    said = f"{ARTICLE}: {article.told('test')}, published {paper.TEST_MISSES}." if article else ""
    domain = (min(values, default=20) / 1.15, max(values, default=200) * 1.15)
    return DotPlot(words, strips, MISSES, domain=domain, values=2.5, best=said)


def _cell(one: Outcome) -> Cell:
    dots = [Dot(misses, OURS, "|", title=f"seed {learned.seed}: {misses:.0f} misses")
            for learned, misses in zip(one.learned, one.ours("test"), strict=True)]  # fmt: skip
    dots += [Dot(misses, ACCENT, "D", title=f"published: {misses:.0f} misses")
             for misses in (each.test_misses or each.test_error / 100 * paper.TEST_DIGITS
                            for each in one.published)]  # fmt: skip
    verdict = f", {one.verdict}" if one.verdict else ""
    return Cell(tuple(sorted(dots, key=lambda dot: dot.at)), f"{one.told('test')}{verdict}")


def choices_plot(found: Factorial) -> DotPlot:
    """Mean test misses of every combination, with its interval."""
    means = [cell.mean() for cell in found.every]
    strips = [Strip(mean.name, (Cell((_interval(mean),), mean.told),)) for mean in means]
    words = Words(
        "What the article's open choices change",
        f"Mean test misses of at least {found.seeds} seeds each, with 95% intervals; log axis, "
        "less is better. Optimizer, units, bound of the first weights, and which eight planes of "
        "H1 each plane of H2 sees, where these are not Karpathy's blocks.",
        (
            f"Dashed: {paper.TEST_MISSES}, LeCun et al. 1989. Learning rates are those of the "
            "recipes that each optimizer comes from, tuned for no combination.",
        ),
    )
    dots = [strip.cells[0].dots[0] for strip in strips]
    ends = [end for dot in dots for end in (dot.low, dot.high) if end is not None]
    domain = (min(*ends, paper.TEST_MISSES) / 1.05, max(*ends, paper.TEST_MISSES) * 1.05)
    best = min(means, key=lambda mean: mean.value)
    return DotPlot(
        words, strips, NEAR, domain=domain, values=1.2, best=f"{best.name}: {best.told}.",
        reference=(paper.TEST_MISSES, "1989"),
    )  # fmt: skip


def _interval(mean: Mean) -> Dot:
    at, low, high = (max(FEWEST, mean.value + part * mean.half) for part in (0, -1, 1))
    return Dot(at, OURS, low=low, high=high, title=mean.told)


@dataclass(frozen=True)
class LearningCurves:
    """Errors pass by pass, a panel a recipe."""

    outcomes: Sequence[Outcome]

    @property
    def alt(self) -> str:
        """The figure in words."""
        names = ", ".join(one.name for one in self.outcomes)
        return f"Error on training and test digits after every pass, one seed each: {names}."

    def draw(self, look: Look) -> Figure:
        """Panels in rows, four at a desk and two on a phone."""
        columns = 4 if look.names else 2
        left, height, title = 0.5, 1.05, 0.4
        width = (look.width - look.margin - left - GAP * (columns - 1)) / columns
        rows = -(-len(self.outcomes) // columns)
        words = Words(
            "How the errors fall, pass by pass",
            "Misses in per cent after each pass, of seed 0; log axis. Passes: as many as the "
            "recipe has.",
            (f"No misses at all are drawn at {LEAST:g}%.",),
            (("test digits", Dot(0, ACCENT)), ("training digits", Dot(0, OURS))),
        )
        drawn = Sheet(look, words, rows * (height + title + 0.28))
        for at, one in enumerate(self.outcomes):
            row, column = divmod(at, columns)
            x = left + column * (width + GAP)
            y = drawn.top + row * (height + title + 0.28)
            for line, (text, color) in enumerate(((one.trained.name, INK), (one.digits, MUTED))):
                shown = sheet.fitting(text, look.small, width + 0.2)
                drawn.text(x, y + 0.1 + 0.15 * line, shown, size=look.small, color=color)
            panel = drawn.panel(x, y + title, width, height)
            sheet.log_axis(panel, (LEAST / 1.4, 60.0), ERRORS if not column else (), "y")
            for value, _ in ERRORS[:-1]:
                panel.axhline(value, color=GRID, linewidth=0.8, zorder=0)
            passes = one.trained.passes
            panel.set(xlim=(0, passes), xticks=[1, passes], xticklabels=["1", f"{passes}"])
            first, digits = one.learned[0], (one.row.extra_info.presentations or 0) / passes
            for curve, many, color in (
                (first.train_curve, digits, OURS),
                (first.test_curve, paper.TEST_DIGITS, ACCENT),
            ):
                errors = np.maximum(LEAST, 100 * np.array(curve) / many)
                panel.plot(range(1, passes + 1), errors, color=color, linewidth=1.6, zorder=3)
                panel.plot(passes, errors[-1], "o", ms=4, color=color, zorder=4, clip_on=False)
        return drawn.figure


@dataclass(frozen=True)
class MisreadDigits:
    """Every test digit that a network misread: what it is, and what the network said."""

    name: str
    misread: Sequence[Misread]

    @property
    def alt(self) -> str:
        """The figure in words."""
        told = ", ".join(f"{one.label} as {one.said}" for one in self.ordered[:12])
        return f"The {len(self.misread)} test digits that {self.name} misreads: {told} and so on."

    @property
    def ordered(self) -> list[Misread]:
        """By what they are, then by what they were taken for."""
        return sorted(self.misread, key=lambda one: (one.label, one.said, one.index))

    def draw(self, look: Look) -> Figure:
        """Tiles in rows, each picture with its two digits above."""
        tile, gap, above = 0.44, 0.12, 0.2
        room = look.width - 2 * look.margin + gap
        columns = int(room / (tile + gap))
        gap = room / columns - tile
        high = tile + above + 0.08
        words = Words(
            f"The {len(self.misread)} test digits that it misreads",
            f"Of {paper.TEST_DIGITS:,}, by {self.name}, seed 0. Above each: what it is, and what "
            "the network said.",
            (),
            (("what it is", Dot(0, MUTED)), ("what the network said", Dot(0, ACCENT))),
        )
        drawn = Sheet(look, words, high * -(-len(self.misread) // columns))
        for at, one in enumerate(self.ordered):
            row, column = divmod(at, columns)
            x, y = look.margin + column * (tile + gap), drawn.top + row * high
            drawn.text(x + 0.06, y + 0.09, f"{one.label}", size=look.small, color=MUTED)
            drawn.text(x + tile - 0.06, y + 0.09, f"{one.said}", size=look.small, color=ACCENT,
                       ha="right", weight="bold")  # fmt: skip
            panel = drawn.panel(x, y + above, tile, tile)
            panel.set_axis_off()
            panel.imshow(_picture(one.image), interpolation="nearest", aspect="auto")
        return drawn.figure


def _picture(image: str) -> Any:
    """(16, 16, 3) uint8: ink on paper, whatever the page's colours are."""
    grey = np.array([int(level, 16) for level in image]).reshape(16, 16, 1) / 15
    ink, white = (np.array(to_rgb(color)) for color in (INK, PAPER))
    return np.rint(255 * (white + (ink - white) * grey)).astype(np.uint8)


def plots_of(found: Reproduction) -> dict[str, Any]:
    """Every figure that the file has something for, before it has a size."""
    figures: dict[str, Any] = {"learning": seeds_plot(found)}
    told = [one for one in found.outcomes if one.learned[0].train_curve]
    if told:
        figures["curves"] = LearningCurves(told)
    first = next((one for one in (found.article, *found.outcomes) if one), None)
    if first and first.learned[0].misread:
        figures["misread"] = MisreadDigits(first.name, first.learned[0].misread)
    return figures
