"""Random numbers of a training: shifts and dropout as functions of (seed, presentation, draw).

No generator has a state, so a seed gives the same numbers on every machine, in any split of a run
and in any order of asking. The function is the output mix of splitmix64 (Steele, Lea & Flood,
"Fast splittable pseudorandom number generators", OOPSLA 2014) applied to a counter.

Draws of one presentation: 0 and 1 are the shift, down and to the right; 2 + i decides on the i-th
unit of H2, counted as (group of four planes, position, plane in the group).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_DRAWS = 256  # numbers set aside for each presentation
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Bits = npt.NDArray[np.uint64]


def _mix(z: Bits) -> Bits:
    """splitmix64's output function; arithmetic is modulo 2^64."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def draws(seed: int, presentations: npt.ArrayLike, numbers: npt.ArrayLike) -> Bits:
    """32 random bits for each presentation and number, (presentations, numbers) uint64."""
    counter = np.asarray(presentations, np.uint64)[:, None] * np.uint64(_DRAWS)
    counter = (counter + np.asarray(numbers, np.uint64) + np.uint64(1)) * _GOLDEN
    return _mix(_mix(np.array([seed], np.uint64)) + counter) >> np.uint64(32)


def shifts(seed: int, presentations: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """(n, 2): pixels down and to the right, each -1, 0 or 1 with equal chance."""
    bits = draws(seed, presentations, [0, 1])
    return ((bits * np.uint64(3)) >> np.uint64(32)).astype(np.int64) - 1


def kept(seed: int, presentations: npt.ArrayLike, dropout: float) -> npt.NDArray[np.bool_]:
    """(n, 12, 4, 4): whether a unit of H2 is kept; a share `dropout` of them is not."""
    bits = draws(seed, presentations, np.arange(2, 2 + 192)) >= np.uint64(round(dropout * 2**32))
    return bits.reshape(-1, 3, 4, 4, 4).transpose(0, 1, 4, 2, 3).reshape(-1, 12, 4, 4)
