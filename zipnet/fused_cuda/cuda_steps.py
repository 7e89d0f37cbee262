"""The verbs that Python calls: place, run, predict; for any number of networks side by side.

Arrays are torch's, on the GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from zipnet import paper
from zipnet.fused_cuda import cuda_layout, gpu
from zipnet.fused_cuda.cuda_compiling import KernelChoices
from zipnet.params import Array, Params

ANSWERING_BLOCKS: Final = 1024  # of all networks: some for each multiprocessor of any GPU


@dataclass
class ReplicaStates:
    """What trainings carry from launch to launch, one row a network.

    weights, gradients, first, second: (replicas, WEIGHTS) float32 on the GPU; gradients are zeros
    between steps. steps: updates so far.
    """

    weights: Tensor
    gradients: Tensor
    first: Tensor
    second: Tensor
    steps: int = 0


def start(networks: Sequence[Params]) -> ReplicaStates:
    """Copy networks to the GPU, with no steps taken."""
    weights = to_gpu(np.stack([cuda_layout.pack(params) for params in networks]))
    zeros = torch.zeros((3, *weights.shape), device=weights.device)
    return ReplicaStates(weights, zeros[0], zeros[1], zeros[2])


def networks(state: ReplicaStates) -> list[Params]:
    """Copy the networks out, waiting for them first."""
    rows = state.weights.cpu().numpy()
    return [Params.from_mapping(cuda_layout.unpack(row)) for row in rows]


def to_gpu(numbers: Array | Sequence[float]) -> Tensor:
    """Copy numbers, as float32; what the caller does to its own afterwards does not matter."""
    return torch.from_numpy(np.array(numbers, np.float32)).to(gpu.DEVICE)


def run(
    state: ReplicaStates,
    x: Tensor,
    y: Tensor,
    batch: int,
    rates: Tensor,
    choices: KernelChoices,
    decay: float,
) -> Tensor:
    """One launch: every network takes all the steps, each with its own rate.

    x: (steps * batch, 256), y: (steps * batch, 10), rates: (replicas,). Returns the losses,
    (replicas, steps) float32 on the GPU. None of it has finished when this returns.
    """
    replicas, steps = len(state.weights), len(x) // batch
    losses = torch.empty((replicas, steps), device=x.device)
    memory = state.weights, state.gradients, state.first, state.second
    counts = steps, batch, decay, state.steps
    gpu.launch("learn", choices, (replicas, 1), *memory, x, y, rates, losses, *counts)
    state.steps += steps
    return losses


def predict(state: ReplicaStates, x: Tensor, choices: KernelChoices) -> Tensor:
    """One launch: every network answers every digit. Returns (replicas, n, 10) on the GPU."""
    replicas, digits = len(state.weights), len(x)
    out = torch.empty((replicas, digits, paper.CLASSES), device=x.device)
    grid = (max(1, min(digits, ANSWERING_BLOCKS // replicas)), replicas)
    gpu.launch("answer", choices, grid, state.weights, x, out, digits)
    return out
