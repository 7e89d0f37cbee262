"""The two kernels, compiled for the choices of a recipe: `learn` and `answer`.

A thread block is one network. Its weights are read from global memory when the launch begins and
written back when it ends; in between, thousands of presentations touch global memory only for the
next image, which is asked for a step ahead, and for the loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numba import cuda, float32, int64, void

from zipnet import paper
from zipnet.fused_cuda.cuda_backward import (
    first_delta_sums,
    first_deltas,
    first_weight_sums,
    first_weights_learn,
    second_biases_learn,
    second_deltas,
    second_weights_learn,
    third_deltas,
)
from zipnet.fused_cuda.cuda_compiling import THREADS, at, inlined, kernel
from zipnet.fused_cuda.cuda_forward import (
    first_layer,
    output_layer,
    second_layer,
    second_layer_sums,
    third_layer,
    third_layer_sums,
)
from zipnet.fused_cuda.cuda_functions import ONE, ZERO
from zipnet.fused_cuda.cuda_layout import A1, A2, AO, D2, IMAGE_ROW, WEIGHTS, X, Y
from zipnet.fused_cuda.cuda_loss import loss
from zipnet.fused_cuda.cuda_update import descend, descend_adamw
from zipnet.params import Array
from zipnet.recipe import Activation, Loss, Optimizer, Output

BACKGROUND: Final[Any] = np.float32(paper.BACKGROUND)
TARGETS_FROM: Final = 256  # threads from here fetch targets, those below a pixel each
LOSS_THREAD: Final = 64  # in a warp of its own, so that nobody waits for it

ONE_AXIS, TWO_AXES, THREE_AXES = float32[::1], float32[:, ::1], float32[:, :, ::1]
LEARN: Final = void(*[TWO_AXES] * 6, ONE_AXIS, TWO_AXES, int64, float32, int64)
"""Types of learn()'s arguments."""
ANSWER: Final = void(TWO_AXES, TWO_AXES, THREE_AXES)
"""Types of answer()'s."""


@dataclass(frozen=True)
class KernelChoices:
    """Fields of a Recipe, and whether a step is one presentation: fixed when compiling."""

    activation: Activation = "tanh"
    output: Output = "tanh"
    loss: Loss = "mse"
    optimizer: Optimizer = "sgd"
    one_by_one: bool = True


@inlined
def thread_number(x: int) -> int:
    """Return x; the mask tells the compiler that it is never negative: // and % become cheap."""
    return x & 1023


@inlined
def begin(a: Array, weights: Array, t: int) -> None:
    """Weights from global memory; borders around the images, H1 and H2's deltas."""
    for i in range(t, WEIGHTS, THREADS):
        a[at(i)] = weights[at(i)]
    for i in range(X + t, Y, THREADS):
        a[at(i)] = BACKGROUND
    for i in range(A1 + t, A2, THREADS):
        a[at(i)] = BACKGROUND
    for i in range(t, 12 * 8, THREADS):
        row = i % 8  # the row above is four values, the row below four more
        a[at(D2 + i // 8 * 24 + (row if row < 4 else row + 16))] = ZERO


@inlined
def fetch(x: Array, y: Array, number: int, t: int) -> Any:
    """A pixel or target of a presentation, this thread's own, from global memory."""
    if t < TARGETS_FROM:
        return x[number, t]
    return y[number, min(t - TARGETS_FROM, paper.CLASSES - 1)]


@inlined
def keep(a: Array, value: Any, t: int) -> None:
    """Put what fetch() brought where the phases look for it."""
    if t < TARGETS_FROM:
        a[at(X + (t // 16 + 2) * IMAGE_ROW + t % 16 + 2)] = value
    elif t < TARGETS_FROM + paper.CLASSES:
        a[at(Y + t - TARGETS_FROM)] = value


@cache
def learner(choices: KernelChoices) -> Any:
    """The kernel that learns: learn[replicas, THREADS, stream, SHARED_BYTES](...).

    weights, gradients (zeros), first, second: (replicas, WEIGHTS), updated in place; the last
    three are used where a step is more than one presentation of plain SGD.
    x: (steps * batch, 256), y: (steps * batch, 10); rates: (replicas,) learning rates.
    losses: (replicas, steps), written. taken: updates before this launch. All arrays float32.
    """
    relu = choices.activation == "relu"
    flat = choices.output == "identity"
    cross_entropy = choices.loss == "cross_entropy"
    adamw = choices.optimizer == "adamw"
    at_once = choices.one_by_one and not adamw

    @kernel
    def learn(
        weights: Array,
        gradients: Array,
        first: Array,
        second: Array,
        x: Array,
        y: Array,
        rates: Array,
        losses: Array,
        batch: int,
        decay: Any,
        taken: int,
    ) -> None:
        a = cuda.shared.array(0, float32)
        t, replica = thread_number(cuda.threadIdx.x), cuda.blockIdx.x
        rate = rates[replica]
        if at_once:
            into, scale, share = a, -rate, ONE
        else:
            into, scale, share = gradients[replica], ONE, ONE / np.float32(batch)
        begin(a, weights[replica], t)
        cuda.syncthreads()
        last = x.shape[0] - 1
        if last >= 0:
            keep(a, fetch(x, y, 0, t), t)
        for step in range(losses.shape[1]):
            total = ZERO
            for one in range(batch):
                number = step * batch + one
                cuda.syncthreads()
                ahead = fetch(x, y, min(number + 1, last), t)
                first_layer(a, t, relu)
                cuda.syncthreads()
                second_layer_sums(a, t)
                cuda.syncthreads()
                second_layer(a, t, relu)
                cuda.syncthreads()
                third_layer_sums(a, t)
                cuda.syncthreads()
                third_layer(a, t, relu)
                cuda.syncthreads()
                output_layer(a, t, flat)
                cuda.syncthreads()
                third_deltas(a, into, scale, t, share, relu, flat, cross_entropy)
                if t == LOSS_THREAD:
                    total += loss(a, cross_entropy, share)
                cuda.syncthreads()
                second_deltas(a, into, scale, t, relu)
                cuda.syncthreads()
                first_delta_sums(a, t)
                second_biases_learn(a, into, scale, t)
                cuda.syncthreads()
                first_deltas(a, into, scale, t, relu)
                cuda.syncthreads()
                second_weights_learn(a, into, scale, t)
                first_weight_sums(a, t)
                cuda.syncthreads()
                first_weights_learn(a, into, scale, t)
                keep(a, ahead, t)
            if not at_once:
                cuda.syncthreads()
                if adamw:
                    descend_adamw(
                        a, into, first[replica], second[replica], rate, decay, taken + step + 1, t
                    )
                else:
                    descend(a, into, rate, t)
            if t == LOSS_THREAD:
                losses[replica, step] = total
        cuda.syncthreads()
        for i in range(t, WEIGHTS, THREADS):
            weights[replica, i] = a[at(i)]

    return learn


@cache
def answerer(choices: KernelChoices) -> Any:
    """The kernel that answers: answer[(blocks, replicas), THREADS, stream, SHARED_BYTES](...).

    weights: (replicas, WEIGHTS), x: (n, 256); out: (replicas, n, 10), written. All float32.
    Block b of a replica answers digits b, b + blocks and so on.
    """
    relu = choices.activation == "relu"
    flat = choices.output == "identity"

    @kernel
    def answer(weights: Array, x: Array, out: Array) -> None:
        a = cuda.shared.array(0, float32)
        t, replica = thread_number(cuda.threadIdx.x), cuda.blockIdx.y
        begin(a, weights[replica], t)
        for number in range(cuda.blockIdx.x, x.shape[0], cuda.gridDim.x):
            cuda.syncthreads()
            if t < TARGETS_FROM:
                keep(a, x[number, t], t)
            cuda.syncthreads()
            first_layer(a, t, relu)
            cuda.syncthreads()
            second_layer_sums(a, t)
            cuda.syncthreads()
            second_layer(a, t, relu)
            cuda.syncthreads()
            third_layer_sums(a, t)
            cuda.syncthreads()
            third_layer(a, t, relu)
            cuda.syncthreads()
            output_layer(a, t, flat)
            cuda.syncthreads()
            if t < paper.CLASSES:
                out[replica, number, t] = a[at(AO + t)]

    return answer
