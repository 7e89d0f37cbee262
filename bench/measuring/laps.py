"""The later laps of a session: over all rows again, in an order drawn anew for each lap.

Every benchmark takes its first lap when pytest runs it. Once all have, the rest of their rounds
follows in laps over the whole session, so that drift hits all rows alike and a reader sees, from
how far the laps of one row lie apart, how much this machine differs from itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from bench.measuring.harness import Timed


def order(rows: Sequence[Timed], lap: int) -> list[Timed]:
    """Those that have rounds in this lap, shuffled; the same rows give the same order."""
    left = [row for row in rows if lap < len(row.rounds)]
    random.Random(lap).shuffle(left)  # noqa: S311 - chance, not secrecy
    return left


def run(
    rows: Sequence[Timed], failed: Callable[[Timed, Exception], None]
) -> Iterator[tuple[int, int]]:
    """Take every lap after the first; yields (laps taken, laps in all) before each.

    failed: told of a row whose work raised, which takes no further part.
    """
    lost: set[int] = set()
    laps = max((len(row.rounds) for row in rows), default=0)
    for lap in range(1, laps):
        yield lap, laps
        for row in order(rows, lap):
            if id(row) in lost:
                continue
            try:
                row.lap(lap)
            except Exception as error:  # whatever it is, the other rows go on
                lost.add(id(row))
                failed(row, error)
