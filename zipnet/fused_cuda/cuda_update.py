"""The update from a batch's summed gradients: one sweep over all weights, and the sum begins anew.

AdamW is Loshchilov & Hutter's (2019) with torch's constants, as zipnet/reference.py. A GPU's own
powers would be float64; 1 - beta^n is -expm1(n log beta) in float32, without cancellation.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from zipnet.fused_cuda.cuda_compiling import THREADS, at, inlined
from zipnet.fused_cuda.cuda_functions import ONE, ZERO
from zipnet.fused_cuda.cuda_layout import WEIGHTS
from zipnet.params import Array
from zipnet.reference import BETA1, BETA2, EPSILON

OLD_MEAN, NEW_MEAN = np.float32(BETA1), np.float32(1 - BETA1)
OLD_SQUARE, NEW_SQUARE = np.float32(BETA2), np.float32(1 - BETA2)
LOG_BETA1, LOG_BETA2 = np.float32(math.log(BETA1)), np.float32(math.log(BETA2))
SMALL: Final = np.float32(EPSILON)


@inlined
def descend(a: Array, gradients: Array, rate: Any, t: int) -> None:
    """Plain SGD."""
    for i in range(t, WEIGHTS, THREADS):
        a[at(i)] -= rate * gradients[at(i)]
        gradients[at(i)] = ZERO


@inlined
def descend_adamw(
    a: Array,
    gradients: Array,
    first: Array,
    second: Array,
    rate: Any,
    decay: Any,
    steps: int,
    t: int,
) -> None:
    """AdamW with decoupled weight decay; steps: updates taken, this one included."""
    n = np.float32(steps)
    size = rate / -math.expm1(n * LOG_BETA1)
    spread = ONE / math.sqrt(-math.expm1(n * LOG_BETA2))
    kept = ONE - rate * decay
    for i in range(t, WEIGHTS, THREADS):
        g = gradients[at(i)]
        gradients[at(i)] = ZERO
        mean = OLD_MEAN * first[at(i)] + NEW_MEAN * g
        square = OLD_SQUARE * second[at(i)] + NEW_SQUARE * (g * g)
        first[at(i)] = mean
        second[at(i)] = square
        a[at(i)] = a[at(i)] * kept - size * mean / (math.sqrt(square) * spread + SMALL)
