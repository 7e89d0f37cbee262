"""Which eight of H1's twelve planes each plane of H2 sees.

The article says that a unit of H2 combines eight of the twelve "according to a scheme that will not
be described here", and no more. So each scheme here is somebody's guess:

    blocks    Karpathy's, lecun1989-repro/repro.py: four planes of H2 see planes 0-7 of H1, four see
              4-11, four 0-3 and 8-11
    balanced  ours: plane j misses planes j, j + 1, j + 4 and j + 6 of H1, modulo 12. Each distance
              between two marks of this ruler, Golomb's perfect one of length 6, occurs once: two
              planes of H2 share five of H1, or six where they are six apart
    cyclic    ours: plane j sees the eight from j on, modulo 12
    random    ours: drawn once, each plane's eight without regard to the others'; the same for all

But for random, every plane of H1 feeds eight of H2. In a network k times as wide each plane stands
for k neighbours; the shapes below are those of width 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zipnet.recipe import Scheme

PLANES: Final = 12  # of H1, and of H2
SEEN: Final = 8  # planes of H1 by each of H2
_DRAW: Final = np.random.RandomState(1989)  # whose draws numpy has frozen
_DRAWN: Final = [sorted(_DRAW.permutation(PLANES)[:SEEN].tolist()) for _ in range(PLANES)]


def _but(missed: Iterable[int]) -> list[int]:
    """All planes but those, counted modulo 12."""
    return sorted(set(range(PLANES)) - {plane % PLANES for plane in missed})


_SEES: Final[dict[Scheme, Callable[[int], list[int]]]] = {
    "blocks": lambda j: _but(range(4 * (j // 4 + 2), 4 * (j // 4 + 3))),
    "balanced": lambda j: _but([j, j + 1, j + 4, j + 6]),
    "cyclic": lambda j: _but(range(j + SEEN, j + PLANES)),
    "random": lambda j: _DRAWN[j],
}


@cache
def table(scheme: Scheme, width: int = 1) -> npt.NDArray[np.int64]:
    """(12, 8): the H1 plane that each slot of H2w (12, 8, 5, 5) reads, rising in each row."""
    rows = np.array([_SEES[scheme](plane) for plane in range(PLANES)])
    rows = rows.repeat(width, 0).repeat(width, 1) * width + np.arange(SEEN * width) % width
    rows.flags.writeable = False
    return rows


def spread(h2w: npt.NDArray[Any], scheme: Scheme) -> npt.NDArray[Any]:
    """(12, 8, 5, 5) -> (12, 12, 5, 5): over all planes of H1, the unseen weighing 0."""
    planes = len(h2w)
    over_all = np.zeros((planes, planes, *h2w.shape[2:]), h2w.dtype)
    np.put_along_axis(over_all, table(scheme, planes // PLANES)[:, :, None, None], h2w, axis=1)
    return over_all


def gathered(over_all: npt.NDArray[Any], scheme: Scheme) -> npt.NDArray[Any]:
    """What spread() was given: (12, 12, 5, 5) -> (12, 8, 5, 5)."""
    seen = table(scheme, len(over_all) // PLANES)
    return np.take_along_axis(over_all, seen[:, :, None, None], axis=1)


def mask(scheme: Scheme, width: int = 1) -> npt.NDArray[np.float32]:
    """(12, 12, 1, 1): 1 where a plane of H2 sees one of H1, else 0."""
    return spread(np.ones((PLANES * width, SEEN * width, 1, 1), np.float32), scheme)
