"""A widened network: one of width k that answers as one of width 1 does, and learns as it might.

Every plane of H1 and H2 and every unit of H3 is there k times, and what a copy sends up weighs a
k-th: what arrives above is what arrived before. So a step at width 64 is known in float64 for the
price of one at width 1, where the reference itself would take minutes and gigabytes.

Backward, a copy gets from each of the k copies above it a k-th of the weight times their delta:

    delta of a copy = delta / k      (H3: through outw / k; then k copies x 1/k x delta / k below)
    gradient of a weight into a copy = its input x delta / k = g / k;  into an output: g

Copies of equal weights have equal gradients and stay equal, so after a step with learning rate lr
the network is again a widened one, of weights that have moved as follows:

    H1w, hidden biases   w - (lr / k) g
    H2w, H3w             w / k - lr g / k = (w - lr g) / k
    outw                 w / k - lr g     = (w - k lr g) / k
    outb                 w - lr g

Width 1 with these four rates is all that there is to follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zipnet.errors import UserError
from zipnet.params import Array, Params
from zipnet.recipe import Recipe
from zipnet.reference import Reference, backward, forward, loss_of


def widen(params: Params, k: int) -> Params:
    """The network of width k that answers as this one of width 1 does."""

    def copied(array: Array, *axes: int) -> Array:
        for axis in axes:
            array = np.repeat(array, k, axis)
        return array

    return Params(
        H1w=copied(params.H1w, 0),
        H1b=copied(params.H1b, 0),
        H2w=copied(params.H2w / np.float32(k), 0, 1),
        H2b=copied(params.H2b, 0),
        H3w=copied(params.H3w.reshape(12, 16, 30) / np.float32(k), 0, 2).reshape(192 * k, 30 * k),
        H3b=copied(params.H3b, 0),
        outw=copied(params.outw / np.float32(k), 0),
        outb=params.outb.copy(),
    )


def rates(k: int) -> dict[str, float]:
    """By array: how fast width 1 must learn to move as its copies do in a network of width k."""
    into_copies = dict.fromkeys(("H1w", "H1b", "H2b", "H3b"), 1 / k)
    return into_copies | {"H2w": 1.0, "H3w": 1.0, "outw": float(k), "outb": 1.0}


def follow(
    start: Params, recipe: Recipe, steps: Iterable[tuple[Array, Array]]
) -> tuple[npt.NDArray[np.float64], Params]:
    """Losses and end of recipe's steps on widen(start), both told by the network of width 1.

    start: of width 1. steps: digits (n, 1, 16, 16) and targets (n, 10) of each.
    Raises UserError for a recipe that is not plain SGD.
    """
    if recipe.optimizer != "sgd":
        raise UserError(f"recipe: optimizer is {recipe.optimizer!r}; widened networks follow 'sgd'")
    narrow, rate = Reference.start(start, replace(recipe, width=1)), rates(recipe.width)
    losses = []
    for x, y in steps:
        trace = forward(narrow.weights, x.astype(np.float64), narrow.recipe)
        loss, d_out = loss_of(trace.out, y.astype(np.float64), narrow.recipe)
        gradients = backward(narrow.weights, trace, d_out, narrow.recipe)
        narrow.update({name: rate[name] * g for name, g in gradients.items()}, recipe.lr)
        losses.append(loss)
    return np.array(losses), narrow.params()
