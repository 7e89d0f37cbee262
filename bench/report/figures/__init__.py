"""The figures, and the only place that imports matplotlib."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import pandas as pd
from matplotlib.figure import Figure

from bench.report.figures import specs
from bench.report.figures.costs import price_plot
from bench.report.figures.curves import LADDER, Curves
from bench.report.figures.roadmap import RoadMap
from bench.report.figures.roofline import Roofline
from bench.report.figures.sheet import NARROW, WIDE, Look, save
from bench.report.picks import crowded
from zipnet.results.sweep import fits, ladders


@dataclass(frozen=True)
class Drawn:
    """One finished figure; `alt` says in words what it shows.

    svg and png are for a desk, 9 inches wide; `narrow` is an SVG of the same for a phone.
    """

    name: str
    alt: str
    svg: bytes
    png: bytes
    narrow: bytes

    @property
    def files(self) -> dict[str, bytes]:
        """Those for a desk, by their names."""
        return {f"{self.name}.svg": self.svg, f"{self.name}.png": self.png}


class Drawable(Protocol):
    """A figure as values, before it has a size; alt: in words."""

    @property
    def alt(self) -> str:
        """What it shows, in words."""

    def draw(self, look: Look) -> Figure:
        """Lay it out."""


def drawn(name: str, figure: Drawable) -> Drawn:
    """A figure for a desk and for a phone."""
    svg, png = save(partial(figure.draw, WIDE), "svg", "png")
    (narrow,) = save(partial(figure.draw, NARROW), "svg")
    return Drawn(name, figure.alt, svg, png, narrow)


def plots(rows: pd.DataFrame) -> dict[str, Drawable]:
    """Every figure there is, before it has a size; rows as for draw_all."""
    picked, many = {spec.name: specs.plot(spec, rows) for spec in specs.SPECS}, crowded(rows)
    every: dict[str, Drawable] = {"training": specs.training_plot(rows), "price": price_plot(rows)}
    every |= picked | {"sweep": specs.plot(specs.SWEPT, rows) if many else Curves(fits(rows))}
    every["roofline"] = Roofline.of(rows)
    if (rows["question"] == "width").any():
        single = rows[rows["batch"] == 1]
        every["width"] = (
            specs.plot(specs.CLIMBED, single) if many else Curves(ladders(rows), LADDER)
        )
        every["road"] = RoadMap.of(rows)
    if (rows["world"] > 0).any():  # few runs have ranks,
        every["ranks"] = specs.ranks_plot(rows)
    if (rows["question"] == specs.JOULES.name).any():  # and few machines count joules
        every[specs.JOULES.name] = specs.plot(specs.JOULES, rows)
    return every


def draw_all(rows: pd.DataFrame) -> Iterator[Drawn]:
    """Draw every figure there is; rows are the sound ones of the newest run of each machine."""
    for name, figure in plots(rows).items():
        yield drawn(name, figure)
