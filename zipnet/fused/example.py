"""A few examples at once: what the network answers, and what it learns from them.

Each phase is done for all examples before the next one starts, because weights are larger than
what lies between two phases: w3 alone fills most of a first-level cache. Per-example SGD has one
example here, a batch `BLOCK`; sums come out the same in either case, bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zipnet.fused.backward import hidden_1_sums, hidden_1_weights, hidden_3_back, outputs_back
from zipnet.fused.choices import squared
from zipnet.fused.compiling import chosen, kernel
from zipnet.fused.forward import hidden_1, hidden_3, outputs, place_input, place_target
from zipnet.fused.lanes import load, store
from zipnet.fused.layout import WEIGHTS, WORK, Y
from zipnet.fused.loss import bend, judge
from zipnet.fused.planes import hidden_2, hidden_2_inputs, hidden_2_weights
from zipnet.fused.random import drop, present

BLOCK = 8
"""Examples whose working values fit into a second-level cache beside weights and gradients."""


@kernel
def answer(choices: Any, w: Any, s: Any, x: Any, count: Any) -> None:
    """From `count` images at x to the outputs in their working values at s."""
    for e in range(count):
        place_input(s + e * WORK, x + e * 256, 16)
        hidden_1(choices, w, s + e * WORK)
        hidden_2(choices, w, s + e * WORK)
    for e in range(count):
        hidden_3(choices, w, s + e * WORK)
        outputs(choices, w, s + e * WORK)


@kernel
def learn(
    choices: Any, w: Any, s: Any, x: Any, y: Any, count: Any, share: Any, t: Any, scale: Any,
    seed: Any, presented: Any,
) -> Any:  # fmt: skip
    """Add to t: scale * gradient of the sum of (share * loss); returns that sum.

    For one example t may be the weights w themselves. presented: examples learnt from before.
    """
    for e in range(count):
        present(choices, s + e * WORK, x + e * 256, seed, presented + e)
        hidden_1(choices, w, s + e * WORK)
        hidden_2(choices, w, s + e * WORK)
        drop(choices, s + e * WORK, seed, presented + e)
    for e in range(count):
        hidden_3(choices, w, s + e * WORK)
    total = np.float32(0)
    for e in range(count):
        outputs(choices, w, s + e * WORK)
        place_target(s + e * WORK, y + e * 10)
        loss, d = judge(choices, s + e * WORK, share)
        outputs_back(choices, w, s + e * WORK, t, scale, d)
        total += loss
    layers_back(choices, w, s, count, t, scale)
    curve(choices, w, s, count, share, t)
    return total


@kernel
def layers_back(choices: Any, w: Any, s: Any, count: Any, t: Any, scale: Any) -> None:
    """From the gradients of H3's sums back to the image."""
    for o in range(3):
        for e in range(count):
            hidden_3_back(choices, w, s + e * WORK, t, scale, o)
    for e in range(count):
        hidden_2_inputs(choices, w, s + e * WORK)
        hidden_2_weights(choices, s + e * WORK, t, scale)
        hidden_1_sums(choices, s + e * WORK, t, scale)
        hidden_1_weights(s + e * WORK, t, scale)


def curve(choices: Any, w: Any, s: Any, count: Any, share: Any, t: Any) -> None:
    """Where that is chosen, add the second derivatives of the sum of (share * loss) behind t.

    t + WEIGHTS is where it goes; the squares of an example's working values lie BLOCK behind them.
    """


@chosen(curve)
def _curve(choices: Any, w: Any, s: Any, count: Any, share: Any, t: Any) -> Any:
    if not choices.value.curved:
        return lambda choices, w, s, count, share, t: None

    def curved(choices: Any, w: Any, s: Any, count: Any, share: Any, t: Any) -> Any:
        through, r, h, one = squared(choices), s + BLOCK * WORK, t + WEIGHTS, np.float32(1)
        for e in range(count):
            for i in range(0, Y, 16):  # the input, every layer's values, the outputs
                value = load(s + e * WORK + i, 16)
                store(r + e * WORK + i, value * value)
            d = bend(through, r + e * WORK, share)
            outputs_back(through, w, r + e * WORK, h, one, d)
        layers_back(through, w, r, count, h, one)

    return curved
