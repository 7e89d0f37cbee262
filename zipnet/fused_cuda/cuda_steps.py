"""The verbs that Python calls: place, run, predict; for any number of networks side by side.

Arrays live on the GPU as numba's own. Every launch goes to the default stream, so launches happen
in order, and copying out waits for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import cuda

from zipnet import paper
from zipnet.fused_cuda import cuda_layout
from zipnet.fused_cuda.cuda_compiling import THREADS
from zipnet.fused_cuda.cuda_layout import SHARED_BYTES
from zipnet.fused_cuda.gpu import ready
from zipnet.fused_cuda.kernels import ANSWER, LEARN, KernelChoices, answerer, learner
from zipnet.params import Array, Params

STREAM: Final = 0  # the default one
ANSWERING_BLOCKS: Final = 1024  # of all networks: some for each multiprocessor of any GPU


@dataclass
class ReplicaStates:
    """What trainings carry from launch to launch, one row a network.

    weights, gradients, first, second: (replicas, WEIGHTS) float32 on the GPU; gradients are zeros
    between steps. steps: updates so far.
    """

    weights: Any
    gradients: Any
    first: Any
    second: Any
    steps: int = 0


def start(networks: Sequence[Params]) -> ReplicaStates:
    """Copy networks to the GPU, with no steps taken."""
    weights = np.stack([cuda_layout.pack(params) for params in networks])
    zeros = np.zeros_like(weights)
    return ReplicaStates(*(cuda.to_device(array) for array in (weights, zeros, zeros, zeros)))


def networks(state: ReplicaStates) -> list[Params]:
    """Copy the networks out, waiting for them first."""
    return [Params.from_mapping(cuda_layout.unpack(row)) for row in state.weights.copy_to_host()]


def nothing(width: int) -> Any:
    """No digits, or the targets of none: (0, width)."""
    return cuda.device_array((0, width), np.float32)


def to_gpu_flat(numbers: Sequence[float]) -> Any:
    """Copy numbers, (n,)."""
    return cuda.to_device(np.array(numbers, np.float32))


def to_gpu(array: Array, width: int) -> Any:
    """Copy digits or targets, (..., width values each), as (n, width)."""
    return cuda.to_device(np.ascontiguousarray(array, np.float32).reshape(-1, width))


def run(
    state: ReplicaStates,
    x: Any,
    y: Any,
    batch: int,
    rates: Any,
    choices: KernelChoices,
    decay: float,
) -> Any:
    """One launch: every network takes all the steps, each with its own rate.

    x: (steps * batch, 256), y: (steps * batch, 10), rates: (replicas,). Returns the losses,
    (replicas, steps) float32 on the GPU. None of it has finished when this returns.
    """
    replicas, steps = state.weights.shape[0], x.shape[0] // batch
    losses = cuda.device_array((replicas, steps), np.float32)
    ready(learner(choices), LEARN)[replicas, THREADS, STREAM, SHARED_BYTES](
        state.weights,
        state.gradients,
        state.first,
        state.second,
        x,
        y,
        rates,
        losses,
        batch,
        np.float32(decay),
        state.steps,
    )
    state.steps += steps
    return losses


def predict(state: ReplicaStates, x: Any, choices: KernelChoices) -> Any:
    """One launch: every network answers every digit. Returns (replicas, n, 10) on the GPU."""
    replicas, count = state.weights.shape[0], x.shape[0]
    out = cuda.device_array((replicas, count, paper.CLASSES), np.float32)
    grid = (max(1, min(count, ANSWERING_BLOCKS // replicas)), replicas)
    ready(answerer(choices), ANSWER)[grid, THREADS, STREAM, SHARED_BYTES](state.weights, x, out)
    return out
