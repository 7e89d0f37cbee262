"""The loss of one presentation, and its gradient with respect to the sums of the outputs.

mse is the mean over batch and outputs of (y - out)^2; cross-entropy the mean over the batch of the
softmax's, as zipnet/reference.py. `share` is 1 / batch.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from zipnet import paper
from zipnet.fused_cuda.cuda_compiling import at, inlined
from zipnet.fused_cuda.cuda_functions import ONE, TWO, ZERO, slope
from zipnet.fused_cuda.cuda_layout import AO, Y
from zipnet.params import Array

TENTH: Final[Any] = np.float32(1 / paper.CLASSES)  # of the mean over the outputs


@inlined
def highest(a: Array) -> Any:
    """The largest output, which softmax subtracts so that nothing overflows."""
    top = a[at(AO)]
    for k in range(1, 10):
        top = a[at(AO + k)] if a[at(AO + k)] > top else top
    return top


@inlined
def sum_of_exponentials(a: Array, top: Any) -> Any:
    """Softmax's denominator."""
    total = ZERO
    for k in range(10):
        total += math.exp(a[at(AO + k)] - top)
    return total


@inlined
def loss(a: Array, cross_entropy: bool, share: Any) -> Any:
    """What this presentation adds to the loss of its batch."""
    total = ZERO
    if cross_entropy:
        top = highest(a)
        log_sum = math.log(sum_of_exponentials(a, top))
        for k in range(10):
            if a[at(Y + k)] > ZERO:
                total += log_sum - (a[at(AO + k)] - top)
        return total * share
    for k in range(10):
        gap = a[at(Y + k)] - a[at(AO + k)]
        total += gap * gap
    return total * (share * TENTH)


@inlined
def output_delta(a: Array, k: int, flat: bool, cross_entropy: bool, top: Any, sum_exp: Any) -> Any:
    """Gradient of the loss with respect to the sum of output k, of a batch of one."""
    out, y = a[at(AO + k)], a[at(Y + k)]
    if cross_entropy:
        delta = math.exp(out - top) / sum_exp - (ONE if y > ZERO else ZERO)
    else:
        delta = TWO * TENTH * (out - y)
    return delta if flat else delta * slope(out, False)
