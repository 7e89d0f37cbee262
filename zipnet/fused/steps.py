"""The package's two verbs: learn and answer.

`run` takes any batch size. A batch of one with plain SGD, the algorithm of 1989, has a loop of its
own: each gradient goes into the weights the moment it is known and is never stored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zipnet.cpu import cores
from zipnet.fused import batch
from zipnet.fused.choices import Choices
from zipnet.fused.compiling import entry
from zipnet.fused.example import BLOCK, answer, learn
from zipnet.fused.lanes import address, load, store, take_next
from zipnet.fused.layout import AO, WORK, Array, LearningState, workspace
from zipnet.fused.threads import pool

TAKEN = 8
"""Blocks of examples that a thread takes at a time when the network answers."""


@entry
def _train_each(
    choices: Any, weights: Any, work: Any, x: Any, y: Any, rates: Any, seed: Any, presented: Any,
    losses: Any,
) -> None:  # fmt: skip
    """One SGD step for each example, in order."""
    w, s = address(weights), address(work)
    for i in range(len(rates)):
        losses[i] = learn(
            choices, w, s, address(x) + i * 256, address(y) + i * 10, 1, np.float32(1), w,
            -rates[i], seed, presented + i,
        )  # fmt: skip


@entry
def _answer(choices: Any, weights: Any, work: Any, x: Any, out: Any, waiting: Any) -> None:
    """Answer the examples that no other thread has taken."""
    w, s, o = address(weights), address(work), address(out)
    start = take_next(waiting) * (TAKEN * BLOCK)
    while start < len(out):
        end = min(len(out), start + TAKEN * BLOCK)
        for i in range(start, end, BLOCK):
            count = min(BLOCK, end - i)
            answer(choices, w, s, address(x) + i * 256, count)
            for e in range(count):
                found = s + AO + e * WORK
                store(o + (i + e) * 10, load(found, 8))
                store(o + ((i + e) * 10 + 8), load(found + 8, 2))
        start = take_next(waiting) * (TAKEN * BLOCK)


def run(
    state: LearningState,
    x: Array,
    y: Array,
    rate: float | NDArray[np.floating[Any]],
    choices: Choices = Choices(),  # noqa: B008  (frozen)
    weight_decay: float = 0.0,
    threads: int | None = None,
    gamma: float = 0.0,
) -> Array:
    """Take steps of the chosen optimizer in order; changes `state`; losses (steps,) float32.

    x: (steps, batch, 1, 16, 16) float32. y: (steps, batch, 10) float32, +1 at the label, else -1.
    rate: the learning rate, or one for each step. threads: at most this many, all cores if None;
    no result depends on it. gamma: pseudo-Newton's; where it is 0 sigma stays as it is.
    """
    if x.ndim != 5 or x.shape[2:] != (1, 16, 16) or y.shape != (*x.shape[:2], 10):
        raise ValueError(
            f"x has shape {x.shape} and y {y.shape}; "
            "expected (steps, batch, 1, 16, 16) and (steps, batch, 10)"
        )
    if weight_decay and choices.optimizer != "adamw":
        raise ValueError(f"weight_decay={weight_decay}: only AdamW decays weights here")
    choices = replace(choices, curved=gamma > 0)
    x, y = _plain(x), _plain(y)
    steps, size = x.shape[:2]
    rates = np.ascontiguousarray(np.broadcast_to(np.asarray(rate, np.float32), (steps,)))
    rates = rates if rates.flags.writeable else rates.copy()
    if size == 1 and choices.optimizer == "sgd":
        losses = np.zeros(steps, np.float32)
        _train_each(
            choices, state.weights, workspace(), x.ctypes.data, y.ctypes.data, rates, state.seed,
            state.presented, losses,
        )  # fmt: skip
    else:
        losses = batch.run(state, x, y, rates, choices, weight_decay or gamma, threads or cores())
    state.presented += steps * size
    state.steps += steps
    return losses


def predict(
    state: LearningState,
    x: Array,
    choices: Choices = Choices(),  # noqa: B008  (frozen)
    threads: int | None = None,
) -> Array:
    """The ten outputs for each of the images x (n, 1, 16, 16): (n, 10) float32."""
    if x.ndim != 4 or x.shape[1:] != (1, 16, 16):
        raise ValueError(f"x has shape {x.shape}; expected (n, 1, 16, 16)")
    x = _plain(x)
    out = np.zeros((len(x), 10), np.float32)
    waiting = np.zeros(1, np.int64)
    plain = choices.evaluated()

    def work(_: int) -> None:
        _answer(plain, state.weights, workspace(BLOCK), x.ctypes.data, out, waiting)

    threads = min(threads or cores(), -(-len(x) // (TAKEN * BLOCK)))
    if threads <= 1:
        work(0)
    else:
        list(pool(threads).map(work, range(threads)))
    return out


def _plain(values: Array) -> Array:
    return np.ascontiguousarray(values, np.float32)
