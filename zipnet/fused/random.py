"""Random numbers that are a function of (seed, presentation, draw), and what is drawn from them.

The compiled twin of zipnet/chance.py, bit for bit; the numbers and their order are explained there.
No generator has a state, so the number of threads cannot change what is drawn.

    draw 0, 1       the shift of the image, down and to the right, each -1, 0 or 1
    draw 2 + i      whether the i-th unit of H2 is kept, i in the order of A2
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zipnet.fused.compiling import chosen, kernel
from zipnet.fused.forward import place_input
from zipnet.fused.lanes import load, splat, store
from zipnet.fused.layout import A2, F2, K2, R

DRAWS = 256
"""Numbers set aside for each presentation."""


@kernel
def mix(z: Any) -> Any:
    """The output function of splitmix64: uint64 -> uint64."""
    z = np.uint64(z)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def draw(seed: Any, presentation: Any, number: Any) -> Any:
    """32 random bits, as an int64."""
    counter = np.uint64(presentation * DRAWS + number + 1) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mix(mix(np.uint64(seed)) + counter) >> np.uint64(32))


def present(choices: Any, s: Any, x: Any, seed: Any, presentation: Any) -> None:
    """Place the image x, shifted if so chosen."""


@chosen(present)
def _present(choices: Any, s: Any, x: Any, seed: Any, presentation: Any) -> Any:
    if not choices.value.shift:
        return lambda choices, s, x, seed, presentation: place_input(s, x, 16)

    def shifted(choices: Any, s: Any, x: Any, seed: Any, presentation: Any) -> Any:
        # Plainly: moved[row, column] = x[(row - down) % 16, (column - right) % 16].
        down = ((draw(seed, presentation, 0) * 3) >> 32) - 1
        right = ((draw(seed, presentation, 1) * 3) >> 32) - 1
        for row in range(16):
            pixels = x + ((row - down) & 15) * 16
            place = s + R + row * 18
            store(place, load(pixels + 15, 1))
            store(place + 1, load(pixels, 16))
            store(place + 17, load(pixels, 1))
        place_input(s, s + R + (1 - right), 18)

    return shifted


def drop(choices: Any, s: Any, seed: Any, presentation: Any) -> None:
    """f2 = a2 * k2, where k2 is 0 or 1 / (1 - dropout)."""


@chosen(drop)
def _drop(choices: Any, s: Any, seed: Any, presentation: Any) -> Any:
    share = choices.value.dropout
    if not share:
        return lambda choices, s, seed, presentation: None

    limit = round(share * 2**32)
    kept = float(np.float32(1.0 / (1.0 - share)))

    def dropped(choices: Any, s: Any, seed: Any, presentation: Any) -> Any:
        for i in range(192):
            factor = kept if draw(seed, presentation, 2 + i) >= limit else 0.0
            store(s + K2 + i, splat(factor, 1))
        for i in range(0, 192, 16):
            store(s + F2 + i, load(s + A2 + i, 16) * load(s + K2 + i, 16))

    return dropped
