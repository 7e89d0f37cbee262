"""The verbs that Python calls: place, run, predict; for any number of networks side by side.

Arrays are torch's, on the GPU. A launch allocates nothing and packs nothing: arguments, losses and
outputs stay where they are, so that asking takes the host a few microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import c_float, c_int, c_void_p
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Final

import numpy as np
import torch
from torch import Tensor

from zipnet import paper
from zipnet.fused_cuda import cuda_layout, gpu
from zipnet.fused_cuda.cuda_compiling import KernelChoices
from zipnet.params import Array, Params

FLOAT_BYTES: Final = 4
ANSWERING_BLOCKS: Final = 1024  # of all networks: some for each multiprocessor of any GPU


class LearnArguments(gpu.Arguments):
    """Of learn() in kernels.cu."""

    _fields_ = (
        *((name, c_void_p) for name in ("weights", "first", "second", "x", "y", "rates", "losses")),
        *(("steps", c_int), ("decay", c_float), ("taken", c_int)),
    )


class SliceArguments(gpu.Arguments):
    """Of slice() in batches.cu."""

    _fields_ = (*((name, c_void_p) for name in ("weights", "x", "y", "sums")), ("batch", c_int))


class DescendArguments(gpu.Arguments):
    """Of descend() in batches.cu."""

    _fields_ = (
        *((name, c_void_p) for name in ("weights", "first", "second", "sums", "rates", "loss")),
        *(("slices", c_int), ("steps", c_int), ("decay", c_float), ("taken", c_int)),
    )


class AnswerArguments(gpu.Arguments):
    """Of answer() in kernels.cu."""

    _fields_ = (("weights", c_void_p), ("x", c_void_p), ("out", c_void_p), ("digits", c_int))


@dataclass(frozen=True)
class BatchSlices:
    """How batches are spread over the GPU.

    sums: (replicas, slices, WEIGHTS + 1) float32, what slices leave. each, update: the kernels'
        arguments, which point there.
    """

    sums: Tensor
    each: SliceArguments
    update: DescendArguments


@dataclass
class ReplicaStates:
    """What trainings carry from launch to launch, one row a network.

    weights: (replicas, WEIGHTS); moments: (2, replicas, WEIGHTS), AdamW's; rates: (replicas,). All
        float32 on the GPU.
    learn, answer: the kernels' arguments, which point there; learn.taken is the updates so far.
    slices: of batches, once there was one.
    """

    weights: Tensor
    moments: Tensor
    rates: Tensor
    learn: LearnArguments
    answer: AnswerArguments
    slices: BatchSlices | None = None

    @cached_property
    def replicas(self) -> int:
        """How many networks."""
        return len(self.weights)


@dataclass(frozen=True)
class GpuDigits:
    """Digits on the GPU, and room for what is said of them, which the next launch says anew.

    x: (steps * batch, 256), y: (steps * batch, 10), float32. of: the axes of the networks that
    learn them, (networks,), or () for a single one without an axis.
    """

    x: Tensor
    y: Tensor
    steps: int
    batch: int
    of: tuple[int, ...]

    @cached_property
    def networks(self) -> int:
        """How many learn them."""
        return prod(self.of)

    @cached_property
    def losses(self) -> Tensor:
        """(*of, steps) float32."""
        return torch.empty((*self.of, self.steps), device=self.x.device)

    @cached_property
    def outputs(self) -> Tensor:
        """(*of, digits, 10) float32."""
        return torch.empty((*self.of, len(self.x), paper.CLASSES), device=self.x.device)

    @cached_property
    def addresses(self) -> tuple[int, int, int]:
        """Where x, y and losses are."""
        return self.x.data_ptr(), self.y.data_ptr(), self.losses.data_ptr()


def start(networks: Sequence[Params], decay: float) -> ReplicaStates:
    """Copy networks to the GPU, with no steps taken. decay: AdamW's weight decay."""
    weights = to_gpu(np.stack([cuda_layout.pack(params) for params in networks]))
    moments = torch.zeros((2, *weights.shape), device=weights.device)
    rates = torch.zeros(len(weights), device=weights.device)
    learn = LearnArguments(
        weights=weights.data_ptr(),
        first=moments[0].data_ptr(),
        second=moments[1].data_ptr(),
        rates=rates.data_ptr(),
        decay=decay,
    )
    return ReplicaStates(
        weights, moments, rates, learn, AnswerArguments(weights=weights.data_ptr())
    )


def networks(state: ReplicaStates) -> list[Params]:
    """Copy the networks out, waiting for them first."""
    rows = state.weights.cpu().numpy()
    return [Params.from_mapping(cuda_layout.unpack(row)) for row in rows]


def to_gpu(numbers: Array | Sequence[float]) -> Tensor:
    """Copy numbers, as float32; what the caller does to its own afterwards does not matter."""
    return torch.from_numpy(np.array(numbers, np.float32)).to(gpu.DEVICE)


def set_rates(state: ReplicaStates, rates: Sequence[float]) -> None:
    """Each network's learning rate, in the launches to come."""
    state.rates.copy_(torch.tensor(rates, dtype=torch.float32))


def run(state: ReplicaStates, digits: GpuDigits, choices: KernelChoices) -> Tensor:
    """Every network takes all the steps, each with its own rate.

    One launch for all steps of one digit each, two for each step of a batch. Returns digits.losses.
    None of it has finished when this returns.
    """
    _require_as_placed(state, digits)
    if not choices.one_by_one:
        _run_batches(state, digits, choices)
        return digits.losses
    learn = state.learn
    learn.x, learn.y, learn.losses = digits.addresses
    learn.steps = digits.steps
    gpu.launch("learn", choices, (state.replicas, 1), learn)
    learn.taken += digits.steps
    return digits.losses


def _run_batches(state: ReplicaStates, digits: GpuDigits, choices: KernelChoices) -> None:
    """Slices of each batch on all multiprocessors, then their sum and the update."""
    slices = min(digits.batch, gpu.blocks_at_once(choices))
    if state.slices is None or state.slices.update.slices != slices:
        state.slices = _cut(state, slices)
    each, update = state.slices.each, state.slices.update
    each.batch, update.steps = digits.batch, digits.steps
    each.x, each.y, update.loss = digits.addresses
    for _ in range(digits.steps):
        update.taken = state.learn.taken = state.learn.taken + 1
        gpu.launch("slice", choices, (slices, state.replicas), each)
        gpu.launch("descend", choices, (cuda_layout.WEIGHTS // 32 + 1, state.replicas), update)
        each.x += FLOAT_BYTES * digits.batch * paper.IMAGE_SIDE**2
        each.y += FLOAT_BYTES * digits.batch * paper.CLASSES
        update.loss += FLOAT_BYTES


def _cut(state: ReplicaStates, slices: int) -> BatchSlices:
    """Room for so many slices of each network.

    They do not depend on how many networks learn side by side, so that one ends where it would have
    ended alone.
    """
    learn, room = state.learn, (state.replicas, slices, cuda_layout.WEIGHTS + 1)
    sums = torch.empty(room, device=state.weights.device)
    shared = {"weights": learn.weights, "sums": sums.data_ptr()}
    moments = {"first": learn.first, "second": learn.second}
    update = DescendArguments(
        **shared, **moments, rates=learn.rates, slices=slices, decay=learn.decay
    )
    return BatchSlices(sums, SliceArguments(**shared), update)


def predict(state: ReplicaStates, digits: GpuDigits, choices: KernelChoices) -> Tensor:
    """One launch: every network answers every digit. Returns digits.outputs."""
    _require_as_placed(state, digits)
    answer, count = state.answer, digits.steps * digits.batch
    answer.x, answer.out, answer.digits = digits.addresses[0], digits.outputs.data_ptr(), count
    grid = (max(1, min(count, ANSWERING_BLOCKS // state.replicas)), state.replicas)
    gpu.launch("answer", choices, grid, answer)
    return digits.outputs


def _require_as_placed(state: ReplicaStates, digits: GpuDigits) -> None:
    if digits.networks != state.replicas:
        said = f"digits placed for {digits.networks} networks, and {state.replicas} are loaded"
        raise ValueError(said)
