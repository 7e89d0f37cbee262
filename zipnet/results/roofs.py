"""Which roof is nearest: what keeps a step from being faster, of all that its machine could do.

A roofline (S. Williams, A. Waterman, D. Patterson, Roofline, Communications of the ACM 52(4), 2009)
bounds a rate of arithmetic by the machine's own, and by its bandwidths times the arithmetic that
each byte allows. Here each level of memory has its bandwidth, bytes are those of paper.step_bytes,
and there is one roof more: a step cannot be faster than it takes to ask for it.

    multiply-adds      the peak of FMAs in registers
    matrix product     what a library reaches
    L1, L2, L3, memory bytes a second x MACs a step / bytes a step
    dispatch           MACs a step / the cost of asking for one: a of t(B) = a + b B by the engine's
                       own sweep (zipnet/results/sweep.py), where that law holds; else by its two
                       smallest batches alone, before it bends; else a whole step on one digit

A row may be above a roof, which then does not bound it: a cache keeps what memory would have to
bring, and an engine that loops by itself is not asked for each step. Asking includes a wait, which
queued steps do without, so that a row is taken for such an engine's only where it is more than
ASKED times as fast as the dispatch roof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from zipnet import paper
from zipnet.results.runs import WHO, records, who
from zipnet.results.sweep import fits

if TYPE_CHECKING:
    import pandas as pd

STEPS: Final = ("sgd-queued", "fullbatch")
EVERY_STEP: Final = (*STEPS, "sweep")
COMPUTE: Final = {"floor-fma": "multiply-adds", "floor-gemm": "matrix product"}
BANDWIDTHS: Final = {
    "floor-read-l1": "L1",
    "floor-read-l2": "L2",
    "floor-read-l3": "L3",
    "floor-read-memory": "memory",
    "floor-bandwidth": "memory",  # a copy, where nothing reads: on accelerators
}
DISPATCH: Final = "dispatch"
ASKED: Final = 1.25  # times the dispatch roof, up to which a row is taken to be below it


@dataclass(frozen=True)
class Roof:
    """What a machine could do at most for one kind of step, and why."""

    name: str
    macs_per_second: float


@dataclass(frozen=True)
class Roofed:
    """A row beneath its roofs, the lowest first."""

    source: Any  # its record
    intensity: float  # MACs for each byte that the step has to move
    roofs: tuple[Roof, ...]

    @property
    def nearest(self) -> Roof | None:
        """The lowest that the row does not break through."""
        rate = self.source.macs_per_second
        for roof in self.roofs:
            if rate <= roof.macs_per_second * (ASKED if roof.name == DISPATCH else 1):
                return roof
        return None

    @property
    def share(self) -> float:
        """Of the nearest roof, how much the row reaches; at most all of it."""
        roof = self.nearest
        return min(1.0, self.source.macs_per_second / roof.macs_per_second) if roof else 1.0


def roofed(rows: pd.DataFrame, questions: Sequence[str] = STEPS) -> list[Roofed]:
    """The better thread count of every engine and device, for each of its batches.

    Rows of one question are the fastest first. Roofs are of the same file, device and threads.
    """
    floors: dict[tuple[Any, ...], dict[str, float]] = {}
    for row in records(rows[rows["kind"] == "machine"]):
        if rate := row.macs_per_second or row.bytes_per_second:
            floors.setdefault((row.file, row.device, row.threads), {})[row.question] = rate
    asking = _asking(rows)
    shown = rows[rows["question"].isin(questions) & (rows["macs_per_second"] > 0)]
    shown = shown.sort_values(["question", "macs_per_second"], ascending=False, kind="stable")
    found = []
    for row in records(shown.drop_duplicates([*WHO, "question", "batch"])):
        step, rates = row.macs / row.steps, floors.get((row.file, row.device, row.threads), {})
        each = step / paper.step_bytes(int(row.batch))  # MACs a byte
        roofs = {name: rates[question] for question, name in COMPUTE.items() if question in rates}
        for question, name in BANDWIDTHS.items():
            if question in rates:
                roofs.setdefault(name, each * rates[question])
        if cost := asking.get(who(row)):
            roofs[DISPATCH] = step / cost
        ordered = sorted((Roof(*roof) for roof in roofs.items()), key=lambda r: r.macs_per_second)
        found.append(Roofed(row, each, tuple(ordered)))
    return found


def _asking(rows: pd.DataFrame) -> dict[tuple[Any, ...], float]:
    """Seconds that asking an engine on a device for a step takes."""
    one = rows[(rows["question"] == "sgd-synced") & (rows["batch"] == 1)]
    found = {who(row): row.value for row in records(one.sort_values("value", ascending=False))}
    for fit in fits(rows):
        first, second = fit.rows[:2]
        each = (second.value - first.value) / (second.batch - first.batch)
        near = first.value - max(0.0, each) * first.batch
        found[who(fit.source)] = fit.fixed.median if fit.holds else max(near, 0.0)
    return found
