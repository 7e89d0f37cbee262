"""graphed: torch's operations captured in CUDA graphs by hand, many steps in one replay.

The kernels are tuned's own; what is gone is asking for them one by one. A replay hands the GPU
forward, backward and update of up to 32 steps at once, and what remains to pay is the latency from
one kernel to the next, on the GPU's side.

Capturing follows https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs: a few steps on a
side stream first, so that libraries have set themselves up, and tensors that stay where they are:
weights, optimizer's memory, learning rate, the digits of one replay and their losses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from zipnet import paper
from zipnet.engines._torch_step import TorchEngine
from zipnet.engines.base import Placed
from zipnet.recipe import Recipe

STEPS = 32  # of one replay at most: what a replay costs beside its steps is a few kernels
DIGITS = 1024  # of one replay at most: in larger batches kernels work long enough to be asked for
WARM_STEPS = 3  # before a capture, as torch's documentation does


@dataclass(frozen=True)
class Program:
    """A captured graph and the tensors that it reads and writes.

    x: (steps, batch, 1, 16, 16), y: (steps, batch, 10), losses: (steps,); all float32.
    """

    x: Tensor
    y: Tensor
    losses: Tensor
    replay: Callable[[], None]


def stretches(steps: int, batch: int) -> list[tuple[int, int]]:
    """How to take the steps: (replays, steps of each), long replays first, then single steps."""
    many = max(1, min(STEPS, DIGITS // batch))
    replays, rest = divmod(steps, many)
    return [(count, size) for count, size in ((replays, many), (rest, 1)) if count]


@final
class Graphed(TorchEngine):
    """Programs are captured when they are first needed, one for each batch and length."""

    name: ClassVar[str] = "graphed"
    predicts_its_own_way: ClassVar[bool] = False  # steps are captured; predict() is plain torch
    cuda: Any = torch.cuda  # whose streams and graphs

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        super().__init__(recipe, device, threads)
        self._programs: dict[tuple[int, int], Program] = {}

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """As torch, and graphs are CUDA's."""
        reason = super().why_not(recipe, device)
        if reason is None and device.partition(":")[0] != "cuda":
            return "CUDA graphs need a cuda device"
        return reason

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """What a graph holds for each step."""
        return self.step_by_autograd(x, y)

    def prepare(self, placed: Placed) -> None:
        """Capture what run() of this shape will replay."""
        self.claim()
        for _, size in stretches(placed.steps, placed.batch):
            self._program(size, placed.batch)
        self.sync()

    def run(self, placed: Placed) -> Tensor:
        """Replay after replay; see Engine.run."""
        self.set_rates()
        losses = torch.empty(placed.steps, device=placed.x.device)
        done = 0
        for replays, size in stretches(placed.steps, placed.batch):
            program = self._program(size, placed.batch)
            for _ in range(replays):
                now = slice(done, done + size)
                program.x.copy_(placed.x[now])
                program.y.copy_(placed.y[now])
                program.replay()
                losses[now].copy_(program.losses)
                done += size
        return losses

    def _program(self, size: int, batch: int) -> Program:
        if (size, batch) not in self._programs:
            self._programs[size, batch] = self._capture(size, batch)
        return self._programs[size, batch]

    def _capture(self, size: int, batch: int) -> Program:
        """Record `size` steps; weights and optimizer's memory end as they began."""
        self.claim()  # a graph keeps for ever the kernels, and so the precision, of its capture
        device = self.weights[0].device
        image = (1, paper.IMAGE_SIDE, paper.IMAGE_SIDE)
        x = torch.zeros((size, batch, *image), device=device)
        y = torch.full((size, batch, paper.CLASSES), -1.0, device=device)
        losses = torch.zeros(size, device=device)
        with self.cuda.device(device):
            side, graph = self.cuda.Stream(), self.cuda.CUDAGraph()
            with self.put_back():
                side.wait_stream(self.cuda.current_stream())
                with self.cuda.stream(side):
                    for _ in range(WARM_STEPS):
                        self.step(x[0], y[0])
                self.cuda.current_stream().wait_stream(side)
            # Records and computes nothing. Other threads may use the GPU meanwhile: replicas train,
            # and libraries ask for memory, which "global", torch's default, would take amiss.
            with self.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
                for k in range(size):
                    losses[k].copy_(self.step(x[k], y[k]))
        return Program(x, y, losses, graph.replay)
