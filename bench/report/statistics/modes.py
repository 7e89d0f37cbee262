"""Two modes in a row's rounds: two groups that lie apart, and a dip between that is no accident."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from bench.report.statistics.dip import Floats, has_two_modes
from bench.report.statistics.timings import middle

APART: Final = 0.05  # below it a second mode would change no verdict
SHARE: Final = 0.1  # of the rounds; fewer are outliers


class Modes(NamedTuple):
    """The slower of two groups."""

    share: float  # of the rounds
    apart: float  # how much longer they take, by medians


def two_modes(ordered: Sequence[float]) -> Modes | None:
    """The slower mode of sorted timings, where there are two."""
    if not may_be_two(ordered):
        return None
    modes = split(ordered)
    if modes.apart > APART and SHARE <= modes.share <= 1 - SHARE and has_two_modes(ordered):
        return modes
    return None


def may_be_two(ordered: Sequence[float]) -> bool:
    """Whether a cut anywhere could leave two groups that lie far enough apart.

    Looked at in tenths of the rounds, with the best that each could hold: a quick no for most rows.
    """
    for slower, faster in _medians(len(ordered)):
        if ordered[slower] > (1 + APART) * ordered[faster]:
            return True
    return False


@functools.lru_cache(256)
def _medians(count: int) -> list[tuple[int, int]]:
    """Where the medians lie, at the best, with each number of tenths in the slower group."""
    return [
        (
            min(count - 1, count - count * tenths // 20),
            max(0, (count * (9 - tenths) // 10 - 1) // 2),
        )
        for tenths in range(1, 9)  # of the rounds, and up to one more
    ]


def split(ordered: Sequence[float]) -> Modes:
    """Cut where two groups are told apart best.

    Source: N. Otsu, IEEE Transactions on Systems, Man, and Cybernetics 9 (1979) 62-66.
    """
    count = len(ordered)
    before, weights = _cuts(count)
    sums = np.array(ordered).cumsum()
    cut = int(((sums[-1] * before - sums[:-1]) ** 2 * weights).argmax()) + 1
    apart = middle(ordered[cut:]) / middle(ordered[:cut]) - 1
    return Modes((count - cut) / count, apart)


@functools.lru_cache(256)
def _cuts(count: int) -> tuple[Floats, Floats]:
    """For every cut of so many timings: the share before it, and what its distance weighs."""
    sizes = np.arange(1, count)
    return sizes / count, 1 / (sizes * (count - sizes))
