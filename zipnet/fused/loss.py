"""The loss of one example and its gradient before the output activation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from zipnet.fused.compiling import chosen, kernel
from zipnet.fused.functions import answer_slope, fold
from zipnet.fused.lanes import extract, fill, load, splat, with_lane
from zipnet.fused.layout import AO, Y
from zipnet.fused.shuffles import high, low


def judge(choices: Any, s: Any, share: Any) -> Any:
    """(loss, gradient) of the outputs in s, both times `share` (1 / batch size).

    mse: the mean over ten outputs of (out - y)^2. cross_entropy: of softmax, label where y = +1.
    The gradient is 16 lanes, the last six 0.
    """


@chosen(judge)
def _judge(choices: Any, s: Any, share: Any) -> Any:
    return {"mse": _squares, "cross_entropy": _entropy}[choices.value.loss]


def _squares(choices: Any, s: Any, share: Any) -> Any:
    out = load(s + AO, 16)
    miss = out - load(s + Y, 16)
    square = miss * miss
    square = low(square) + high(square)
    square = low(square) + high(square)
    square = fold(square, square)
    loss = (extract(square, 0) + extract(square, 1)) * (share * np.float32(0.1))
    gradient = miss * splat(share * np.float32(0.2), 16)
    return loss, answer_slope(choices, out, gradient)


def _entropy(choices: Any, s: Any, share: Any) -> Any:
    """Softmax in float64, after taking off the largest output so that no power overflows."""
    out = load(s + AO, 16)
    y = load(s + Y, 16)
    top = extract(out, 0)
    for i in range(1, 10):
        top = max(top, extract(out, i))
    total = 0.0
    for i in range(10):
        total += math.exp(float(extract(out, i) - top))
    gradient = fill(out, 0.0)
    loss = 0.0
    for i in range(10):
        miss = math.exp(float(extract(out, i) - top)) / total
        if extract(y, i) > 0:
            loss = math.log(total) - float(extract(out, i) - top)
            miss -= 1.0
        gradient = with_lane(gradient, i, np.float32(miss))
    gradient = gradient * splat(share, 16)
    return np.float32(loss) * share, answer_slope(choices, out, gradient)


@kernel
def bend(choices: Any, r: Any, share: Any) -> Any:
    """The second derivatives of `share` of the squares' loss before the output activation.

    r: working values squared. 16 lanes, the last six 0.
    """
    out = load(r + AO, 16)
    d = fill(out, 0.0)
    for i in range(10):
        d = with_lane(d, i, share * np.float32(0.2))
    return answer_slope(choices, out, d)
