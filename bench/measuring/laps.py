"""The later laps of a session: over all rows again, in an order drawn anew for each lap.

Every benchmark takes its first lap when pytest runs it. Once all have, the rest of their rounds
follows in laps over the whole session, so that drift hits all rows alike and a reader sees, from
how far the laps of one row lie apart, how much this machine differs from itself. A lap that
somebody else disturbed is taken again: both stay in the file, and the last one counts.
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
    rows: Sequence[Timed],
    failed: Callable[[Timed, Exception], None],
    retakes: int = 0,
    again: Callable[[int], object] | None = None,
) -> Iterator[tuple[int, int]]:
    """Take every lap after the first; yields (laps taken, laps in all) before each.

    Rows whose lap was disturbed take it again once all have had theirs, when the disturbance may be
    over; at most `retakes` times.
    failed: told of a row whose work raised, which takes no further part. again: told before rows
    take a lap again, how many.
    """
    lost: set[int] = set()

    def take(lap: int, some: Sequence[Timed]) -> None:
        for row in some:
            try:
                row.lap(lap)
            except Exception as error:  # whatever it is, the other rows go on
                lost.add(id(row))
                failed(row, error)

    laps = max((len(row.rounds) for row in rows), default=0)
    for lap in range(laps):
        if lap:
            yield lap, laps
            take(lap, [row for row in order(rows, lap) if id(row) not in lost])
        for _ in range(retakes):
            some = [row for row in order(rows, lap) if id(row) not in lost and row.disturbed(lap)]
            if some and again is not None:
                again(len(some))
            take(lap, some)
