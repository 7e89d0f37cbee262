"""Steps on batches: gradients of chunks of fixed size, added in fixed order, then one update.

A chunk's gradient is the sum over its examples in order; the step's gradient is the sum over
its chunks in order. Which thread works on which chunk is decided while running, and makes no
difference: the result is the same bit for bit for any number of threads. Where second derivatives
are taken, they lie behind each gradient, in the same layout.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zipnet.fused.choices import Choices
from zipnet.fused.compiling import entry, kernel
from zipnet.fused.example import BLOCK, learn
from zipnet.fused.lanes import address, take_next
from zipnet.fused.layout import WEIGHTS, Array, LearningState, aligned, workspace
from zipnet.fused.threads import pool
from zipnet.fused.update import add, clear, update

CHUNK = 128
"""Examples in a chunk: under a millisecond of work, so that threads end nearly together."""


@kernel
def learn_chunk(
    choices: Any, w: Any, s: Any, x: Any, y: Any, size: Any, chunk: Any, gradients: Any,
    seed: Any, presented: Any,
) -> Any:  # fmt: skip
    """The gradient of one chunk's share of a batch's mean loss; returns that share."""
    width = gradients.shape[1]
    gradient = address(gradients) + chunk * width
    clear(gradient, width)
    share = np.float32(1.0 / size)
    loss = np.float32(0)
    end = min(size, (chunk + 1) * CHUNK)
    for i in range(chunk * CHUNK, end, BLOCK):
        loss += learn(
            choices, w, s, x + i * 256, y + i * 10, min(BLOCK, end - i), share, gradient,
            np.float32(1), seed, presented + i,
        )  # fmt: skip
    return loss


@entry
def _learn_chunks(
    choices: Any, weights: Any, work: Any, x: Any, y: Any, size: Any, gradients: Any, losses: Any,
    waiting: Any, seed: Any, presented: Any,
) -> None:  # fmt: skip
    """Work on the chunks of one batch that no other thread has taken."""
    chunk = take_next(waiting)
    while chunk < len(losses):
        losses[chunk] = learn_chunk(
            choices, address(weights), address(work), address(x), address(y), size, chunk,
            gradients, seed, presented,
        )  # fmt: skip
        chunk = take_next(waiting)


@kernel
def finish(
    choices: Any, weights: Any, gradients: Any, losses: Any, first: Any, second: Any,
    rate: Any, decay: Any, step: Any,
) -> Any:  # fmt: skip
    """Add up the chunks, update the weights; returns the loss."""
    total, width = address(gradients), gradients.shape[1]
    loss = losses[0]
    for chunk in range(1, len(losses)):
        add(total, total + chunk * width, width)
        loss += losses[chunk]
    update(choices, address(weights), total, address(first), address(second), rate, decay, step)
    return loss


@entry
def _finish(
    choices: Any, weights: Any, gradients: Any, losses: Any, first: Any, second: Any,
    rate: Any, decay: Any, step: Any,
) -> Any:  # fmt: skip
    return finish(choices, weights, gradients, losses, first, second, rate, decay, step)


@entry
def _steps(
    choices: Any, weights: Any, work: Any, x: Any, y: Any, size: Any, gradients: Any, chunks: Any,
    first: Any, second: Any, rates: Any, decay: Any, seed: Any, presented: Any, steps: Any,
    out: Any,
) -> None:  # fmt: skip
    """All steps of a run on one thread."""
    for i in range(len(rates)):
        for chunk in range(len(chunks)):
            chunks[chunk] = learn_chunk(
                choices, address(weights), address(work), address(x) + i * size * 256,
                address(y) + i * size * 10, size, chunk, gradients, seed,
                presented + i * size,
            )  # fmt: skip
        out[i] = finish(
            choices, weights, gradients, chunks, first, second, rates[i], decay, steps + i + 1
        )


def run(
    state: LearningState,
    x: Array,
    y: Array,
    rates: Array,
    choices: Choices,
    decay: float,
    threads: int,
) -> Array:
    """One update for each of the batches x (steps, batch, 1, 16, 16); losses (steps,)."""
    steps, size = x.shape[:2]
    chunks = np.zeros(-(-size // CHUNK), np.float32)
    gradients = aligned(len(chunks), (2 if choices.curved else 1) * WEIGHTS)
    losses = np.zeros(steps, np.float32)
    threads = min(threads, len(chunks))
    if threads == 1:
        _steps(
            choices, state.weights, workspace(2 * BLOCK), x.ctypes.data, y.ctypes.data, size,
            gradients, chunks, state.first, state.second, rates, decay, state.seed, state.presented,
            state.steps, losses,
        )  # fmt: skip
        return losses
    waiting = np.zeros(1, np.int64)
    plain = choices.differentiated()
    for i in range(steps):
        waiting[0] = 0

        def learn(_: int, i: int = i) -> None:
            _learn_chunks(
                plain, state.weights, workspace(2 * BLOCK), x[i].ctypes.data, y[i].ctypes.data,
                size, gradients, chunks, waiting, state.seed, state.presented + i * size,
            )  # fmt: skip

        list(pool(threads).map(learn, range(threads)))
        losses[i] = _finish(
            choices, state.weights, gradients, chunks, state.first, state.second, rates[i], decay,
            state.steps + i + 1,
        )  # fmt: skip
    return losses
