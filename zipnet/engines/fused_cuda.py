"""fused_cuda: the whole loop of steps in one GPU kernel on one multiprocessor, in CUDA C++.

Weights and activations stay in shared memory for as many steps as a run has, so a step launches
nothing and waits for nobody outside its multiprocessor. zipnet/fused_cuda derives how. Many
trainings go side by side in one launch, one thread block each. A batch is spread over all
multiprocessors instead, in two launches a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar, cast, final

import numpy as np
import numpy.typing as npt
from torch import Tensor

from zipnet import devices, paper
from zipnet.engines.base import (
    Engine,
    Many,
    ManyAtOnce,
    Placed,
    as_steps,
    by_blocks,
    draws_nothing,
    first_order,
    narrow,
)
from zipnet.fused_cuda import cuda_steps, gpu
from zipnet.fused_cuda.cuda_compiling import KernelChoices
from zipnet.fused_cuda.cuda_steps import GpuDigits
from zipnet.params import Array, Params
from zipnet.recipe import Recipe

PIXELS = paper.IMAGE_SIDE**2


@cache
def choices_of(recipe: Recipe, batch: int) -> KernelChoices:
    """What of a recipe is fixed when its kernels are compiled."""
    of = recipe.activation, recipe.output, recipe.loss, recipe.optimizer
    return KernelChoices(*of, one_by_one=batch == 1)


def placed_for(networks: tuple[int, ...], x: Array, y: Array, batch: int) -> Placed:
    """Digits on the GPU; networks: the leading axes of what is said of them."""
    steps_x, steps_y = as_steps(x, y, batch)
    on_gpu = cuda_steps.to_gpu(steps_x.reshape(-1, PIXELS))
    targets = cuda_steps.to_gpu(steps_y.reshape(-1, paper.CLASSES))
    digits = GpuDigits(on_gpu, targets, len(steps_x), batch, networks)
    return Placed(digits, targets, len(steps_x), batch, str(on_gpu.device))


@final
class ManyFusedCuda(Many):
    """Networks side by side, a thread block each; arrays are torch's, on the first GPU."""

    def load(self, networks: Sequence[Params]) -> None:
        """Copy networks to the GPU; see Many.load."""
        self._state = cuda_steps.start(networks, self.recipe.weight_decay)
        self.rates = [self.recipe.lr] * len(networks)
        self._rates_there: Sequence[float] = ()

    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits to the GPU, for the networks that are loaded; see Engine.place."""
        return placed_for((len(self.rates),), x, y, batch)

    def prepare(self, placed: Placed) -> None:
        """Compile by runs on no digits, which leave the weights as they are."""
        nothing = replace(placed.x, x=placed.x.x[:0], y=placed.y[:0], steps=0)
        self.run(replace(placed, x=nothing))
        self.predict(replace(placed, x=nothing))
        self.sync()

    def run(self, placed: Placed) -> Tensor:
        """All steps of all networks at once; see Many.run."""
        if self._rates_there != self.rates:
            cuda_steps.set_rates(self._state, self.rates)
            self._rates_there = list(self.rates)
        choices = choices_of(self.recipe, placed.batch)
        return cuda_steps.run(self._state, placed.x, choices)

    def predict(self, placed: Placed) -> Tensor:
        """All digits by all networks in one launch; see Many.predict."""
        return cuda_steps.predict(self._state, placed.x, choices_of(self.recipe, 1))

    def sync(self) -> None:
        """Wait for the GPU."""
        gpu.wait()

    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """Copy out; see Engine.numpy."""
        return cast("npt.NDArray[np.float32]", array.cpu().numpy().copy())

    def params(self) -> list[Params]:
        """Copy the networks out; see Many.params."""
        return cuda_steps.networks(self._state)


@final
class FusedCuda(Engine):
    """The contract's calls for one network: many, of which there is one."""

    name: ClassVar[str] = "fused_cuda"
    many_at_once: ClassVar[ManyAtOnce | None] = "launch"

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        super().__init__(recipe, device, threads)
        self._one = ManyFusedCuda(recipe)

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """It needs CUDA's compiler, the first GPU, and a recipe of width 1 that draws nothing."""
        if device.partition(":")[0] != "cuda":
            return "the fused_cuda engine is made for CUDA GPUs"
        if device not in ("cuda", "cuda:0"):
            return "it runs on the first GPU; CUDA_VISIBLE_DEVICES chooses which that is"
        missing = devices.why_not("cuda") or gpu.why_not() or draws_nothing(recipe)
        return missing or first_order(recipe) or by_blocks(recipe) or narrow(recipe)

    @classmethod
    def at_once(cls, recipe: Recipe, device: str, threads: int | None) -> int:  # noqa: ARG003
        """As many thread blocks as the GPU holds at a time."""
        return gpu.blocks_at_once(choices_of(recipe, recipe.batch))

    @classmethod
    def many(cls, recipe: Recipe, device: str) -> Many:  # noqa: ARG003 - the first GPU
        """One launch for all of them."""
        return ManyFusedCuda(recipe)

    def load(self, params: Params, seed: int = 0) -> None:  # noqa: ARG002 - draws nothing
        """Copy parameters to the GPU; see Engine.load."""
        self._one.load([params])

    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits to the GPU; see Engine.place."""
        return placed_for((), x, y, batch)

    def prepare(self, placed: Placed) -> None:
        """Compile; see Engine.prepare."""
        self._one.prepare(placed)

    def run(self, placed: Placed) -> Tensor:
        """All steps in one launch, or two launches for each batch; see Engine.run."""
        self._one.rates = [self.lr]
        return self._one.run(placed)

    def predict(self, placed: Placed) -> Tensor:
        """All digits in one launch, on the whole GPU; see Engine.predict."""
        return self._one.predict(placed)

    def sync(self) -> None:
        """Wait for the GPU."""
        self._one.sync()

    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """Copy out; see Engine.numpy."""
        return self._one.numpy(array)

    def params(self) -> Params:
        """Copy the parameters out; see Engine.params."""
        return self._one.params()[0]
