"""A few examples at once: what the network answers, and what it learns from them.

Each phase is done for all examples before the next one starts, because weights are larger than
what lies between two phases: w3 alone fills most of a first-level cache. Per-example SGD has one
example here, a batch `BLOCK`; sums come out the same in either case, bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zipnet.fused.backward import (
    hidden_1_sums,
    hidden_1_weights,
    hidden_2_inputs,
    hidden_2_weights,
    hidden_3_back,
    outputs_back,
)
from zipnet.fused.compiling import kernel
from zipnet.fused.forward import hidden_1, hidden_2, hidden_3, outputs, place_input, place_target
from zipnet.fused.layout import WORK
from zipnet.fused.loss import judge
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
    for o in range(3):
        for e in range(count):
            hidden_3_back(choices, w, s + e * WORK, t, scale, o)
    for e in range(count):
        hidden_2_inputs(w, s + e * WORK)
        hidden_2_weights(s + e * WORK, t, scale)
        hidden_1_sums(choices, s + e * WORK, t, scale)
        hidden_1_weights(s + e * WORK, t, scale)
    return total
