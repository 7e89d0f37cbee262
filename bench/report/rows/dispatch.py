"""How much of an eager step is dispatch: Python, autograd and launches, not arithmetic.

Two ways to know. Where the same operations were also replayed from a graph (the graphed engine),
what the replay saves was dispatch. Elsewhere a sweep over batches says what a step costs before
its first digit (bench/report/rows/sweep.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.report.rows.measures import Measure, best
from bench.report.rows.sweep import fits


@dataclass(frozen=True)
class Dispatch:
    """The share of one eager step, and how it is known."""

    source: Measure  # the queued eager steps
    share: float
    by: Literal["replay", "sweep"]


def dispatches(found: Sequence[Measure]) -> list[Dispatch]:
    """One for each machine's device on which eager steps were measured and a share is known.

    Rows that no verdict may rest on are not asked.
    """
    calm = [measure for measure in found if not measure.forbidden]
    steps = {m.combination: m for m in best(calm, "sgd-queued")}
    swept = {fit.source.combination: fit for fit in fits(found)}
    made = []
    for (source, engine, device), eager in steps.items():
        if engine != "eager":
            continue
        replayed = steps.get((source, "graphed", device))
        if replayed is not None:
            saved = max(0.0, 1 - replayed.seconds_each / eager.seconds_each)
            made.append(Dispatch(eager, saved, "replay"))
        elif eager.combination in swept:
            made.append(Dispatch(eager, swept[eager.combination].share_of_asking, "sweep"))
    return made
