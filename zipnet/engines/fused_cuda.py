"""fused_cuda: the whole loop of steps in one GPU kernel on one multiprocessor, in CUDA C++.

Weights and activations stay in shared memory for as many steps as a run has, so a step launches
nothing and waits for nobody outside its multiprocessor. zipnet/fused_cuda derives how. A batch too
is learnt from by that one multiprocessor, digit by digit. Many trainings go side by side in one
launch, one thread block each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zipnet import devices, paper
from zipnet.engines.base import (
    Engine,
    Many,
    ManyAtOnce,
    Placed,
    as_steps,
    draws_nothing,
    first_order,
)
from zipnet.fused_cuda import cuda_steps, gpu
from zipnet.fused_cuda.cuda_compiling import KernelChoices
from zipnet.params import Array, Params
from zipnet.recipe import Recipe

PIXELS = paper.IMAGE_SIDE**2


@final
class ManyFusedCuda(Many):
    """Networks side by side, a thread block each; arrays are torch's, on the first GPU."""

    def load(self, networks: Sequence[Params]) -> None:
        """Copy networks to the GPU; see Many.load."""
        self._state = cuda_steps.start(networks)
        self.rates = [self.recipe.lr] * len(networks)
        self._placed_rates: tuple[list[float], Tensor] = ([], torch.empty(0))

    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits to the GPU; see Engine.place."""
        steps_x, steps_y = as_steps(x, y, batch)
        placed_x = cuda_steps.to_gpu(steps_x.reshape(-1, PIXELS))
        placed_y = cuda_steps.to_gpu(steps_y.reshape(-1, paper.CLASSES))
        return Placed(placed_x, placed_y, len(steps_x), batch, str(placed_x.device))

    def prepare(self, placed: Placed) -> None:
        """Compile by launches on no digits, which write back the weights that they read."""
        nothing = Placed(placed.x[:0], placed.y[:0], 0, placed.batch, placed.device)
        self.run(nothing)
        self.predict(nothing)
        self.sync()

    def run(self, placed: Placed) -> Tensor:
        """All steps of all networks in one launch; see Many.run."""
        if self._placed_rates[0] != self.rates:
            self._placed_rates = list(self.rates), cuda_steps.to_gpu(self.rates)
        rates, decay = self._placed_rates[1], self.recipe.weight_decay
        choices = self._choices(placed.batch)
        return cuda_steps.run(self._state, placed.x, placed.y, placed.batch, rates, choices, decay)

    def predict(self, placed: Placed) -> Tensor:
        """All digits by all networks in one launch; see Many.predict."""
        return cuda_steps.predict(self._state, placed.x, self._choices(1))

    def _choices(self, batch: int) -> KernelChoices:
        of = self.recipe
        return KernelChoices(of.activation, of.output, of.loss, of.optimizer, one_by_one=batch == 1)

    def sync(self) -> None:
        """Wait for the GPU."""
        gpu.wait()

    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """Copy out; see Engine.numpy."""
        return cast("npt.NDArray[np.float32]", array.cpu().numpy())

    def params(self) -> list[Params]:
        """Copy the networks out; see Many.params."""
        return cuda_steps.networks(self._state)


@final
class FusedCuda(Engine):
    """The contract's calls for one network: many, of which there is one."""

    name: ClassVar[str] = "fused_cuda"
    many_at_once: ClassVar[ManyAtOnce | None] = "launch"
    learns_batches_slowly: ClassVar[bool] = True

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        super().__init__(recipe, device, threads)
        self._one = ManyFusedCuda(recipe)

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """It needs CUDA's compiler, the first GPU, and a recipe without random numbers."""
        if device.partition(":")[0] != "cuda":
            return "the fused_cuda engine is made for CUDA GPUs"
        if device not in ("cuda", "cuda:0"):
            return "it runs on the first GPU; CUDA_VISIBLE_DEVICES chooses which that is"
        missing = devices.why_not("cuda") or gpu.why_not()
        return missing or draws_nothing(recipe) or first_order(recipe)

    @classmethod
    def at_once(cls, device: str, threads: int | None) -> int:  # noqa: ARG003 - one GPU, no threads
        """As many thread blocks as the GPU holds at a time."""
        return gpu.blocks_at_once()

    @classmethod
    def many(cls, recipe: Recipe, device: str) -> Many:  # noqa: ARG003 - the first GPU
        """One launch for all of them."""
        return ManyFusedCuda(recipe)

    def load(self, params: Params, seed: int = 0) -> None:  # noqa: ARG002 - draws nothing
        """Copy parameters to the GPU; see Engine.load."""
        self._one.load([params])

    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits to the GPU; see Engine.place."""
        return self._one.place(x, y, batch)

    def prepare(self, placed: Placed) -> None:
        """Compile; see Engine.prepare."""
        self._one.prepare(placed)

    def run(self, placed: Placed) -> Tensor:
        """All steps in one launch; see Engine.run."""
        self._one.rates = [self.lr]
        return self._one.run(placed).reshape(placed.steps)

    def predict(self, placed: Placed) -> Tensor:
        """All digits in one launch, on the whole GPU; see Engine.predict."""
        return self._one.predict(placed).reshape(placed.presentations, paper.CLASSES)

    def sync(self) -> None:
        """Wait for the GPU."""
        self._one.sync()

    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """Copy out; see Engine.numpy."""
        return self._one.numpy(array)

    def params(self) -> Params:
        """Copy the parameters out; see Engine.params."""
        return self._one.params()[0]
