"""From a gradient to new weights: one sweep over arrays that share one layout.

Padding stays 0 and the two copies in W1 stay equal, because equal values get equal updates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from zipnet.fused.choices import Choices
from zipnet.fused.compiling import chosen, kernel
from zipnet.fused.lanes import fma, increase, load, splat, sqrt, store
from zipnet.fused.layout import WEIGHTS

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # AdamW's, as in torch.optim.AdamW


@kernel
def clear(values: Any, size: Any) -> None:
    """Plainly: values[:size] = 0"""
    for i in range(0, size, 16):
        store(values + i, splat(np.float32(0), 16))


@kernel
def add(total: Any, values: Any, size: Any) -> None:
    """Plainly: total[:size] += values[:size]"""
    one = splat(np.float32(1), 16)
    for i in range(0, size, 16):
        increase(total + i, one, load(values + i, 16))


def update(
    choices: Any, w: Any, gradient: Any, first: Any, second: Any, rate: Any, decay: Any, step: Any
) -> None:
    """One update of the weights; decay: weight decay or gamma, step: 1 for the first.

    first, second: the optimizer's memory, AdamW's moments; first is pseudo-Newton's sigma.
    """


@chosen(update)
def _update(
    choices: Any, w: Any, gradient: Any, first: Any, second: Any, rate: Any, decay: Any, step: Any
) -> Any:
    return {"sgd": _sgd, "adamw": _adamw, "pseudo-newton": _newton(choices.value)}[
        choices.value.optimizer
    ]


def _sgd(
    choices: Any, w: Any, gradient: Any, first: Any, second: Any, rate: Any, decay: Any, step: Any
) -> Any:
    """Plainly: w -= rate * gradient."""
    times = splat(-rate, 16)
    for i in range(0, WEIGHTS, 16):
        increase(w + i, times, load(gradient + i, 16))


def _adamw(
    choices: Any, w: Any, gradient: Any, first: Any, second: Any, rate: Any, decay: Any, step: Any
) -> Any:
    """Decoupled weight decay, then Adam with bias correction.

    w *= 1 - rate * decay
    m = beta_1 * m + (1 - beta_1) * g;  v = beta_2 * v + (1 - beta_2) * g * g
    w -= rate / (1 - beta_1^step) * m / (sqrt(v / (1 - beta_2^step)) + epsilon)
    """
    shrink = splat(1.0 - rate * decay, 16)
    keep_1, new_1 = splat(BETA_1, 16), splat(1.0 - BETA_1, 16)
    keep_2, new_2 = splat(BETA_2, 16), splat(1.0 - BETA_2, 16)
    pace = splat(-rate / (1.0 - BETA_1**step), 16)
    correct = splat(1.0 / math.sqrt(1.0 - BETA_2**step), 16)
    epsilon = splat(EPSILON, 16)
    for i in range(0, WEIGHTS, 16):
        g = load(gradient + i, 16)
        m = fma(keep_1, load(first + i, 16), new_1 * g)
        v = fma(keep_2, load(second + i, 16), new_2 * (g * g))
        store(first + i, m)
        store(second + i, v)
        moved = m / fma(sqrt(v), correct, epsilon)
        store(w + i, fma(pace, moved, shrink * load(w + i, 16)))


def _newton(value: Choices) -> Any:
    """The update for this mu; h lies behind the gradient, where second derivatives are taken."""
    mu, curved = float(value.mu), value.curved

    def update(
        choices: Any, w: Any, gradient: Any, first: Any, second: Any, rate: Any, decay: Any,
        step: Any,
    ) -> Any:  # fmt: skip
        """Plainly: sigma = (1 - gamma) * sigma + gamma * h;  w -= rate * g / (mu + sigma)"""
        gamma = decay
        keep, new = splat(1.0 - gamma, 16), splat(gamma, 16)
        floor, pace = splat(mu, 16), splat(-rate, 16)
        for i in range(0, WEIGHTS, 16):
            sigma = load(first + i, 16)
            if curved:
                sigma = fma(keep, sigma, new * load(gradient + WEIGHTS + i, 16))
                store(first + i, sigma)
            increase(w + i, pace, load(gradient + i, 16) / (floor + sigma))

    return update
