"""compiled: the whole step, forward to update, as one torch.compile program.

Inductor fuses what it can; what remains a step is one guarded call from Python. Tried in one run on
a CPU: H2 by blocks, as one convolution and as a product of unfolded windows; oneDNN on and off; a
wrapper in C++. One convolution wins from middling batches on, and nearly for single digits; the
wrapper gains nothing that can be seen.
"""

from __future__ import annotations

import os
import shutil
from typing import ClassVar, final

import torch
from torch import Tensor

from zipnet.engines._torch_step import TorchEngine
from zipnet.net import loss_fn
from zipnet.recipe import Recipe


@final
class Compiled(TorchEngine):
    """torch.func for the gradients, so that Dynamo sees one function of tensors."""

    name: ClassVar[str] = "compiled"
    predicts_its_own_way: ClassVar[bool] = False  # steps are compiled; predict() is plain torch

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        super().__init__(recipe, device, threads)
        names = [name for name, _ in self.net.named_parameters()]
        self.weights = [w.detach() for w in self.weights]

        def loss_of_weights(weights: list[Tensor], x: Tensor, y: Tensor) -> Tensor:
            arrays = dict(zip(names, weights, strict=True))
            out: Tensor = torch.func.functional_call(self.net, arrays, (x,))
            return loss_fn(out, y, recipe)

        def step(x: Tensor, y: Tensor) -> Tensor:
            loss: Tensor
            gradients, loss = torch.func.grad_and_value(loss_of_weights)(self.weights, x, y)
            curvatures = self.optimizer.curvatures(dict(zip(names, self.weights, strict=True)), x)
            self.optimizer.update(self.weights, gradients, curvatures)
            return loss

        self._step = torch.compile(step, fullgraph=True, dynamic=False)

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """As torch, and Inductor needs a compiler for the device."""
        reason = super().why_not(recipe, device)
        if reason is None and device == "cpu":
            compilers = [os.environ.get("CXX", ""), "g++", "clang++"]
            if not any(shutil.which(c) for c in compilers if c):
                return "torch.compile needs a C++ compiler on the path (g++ or clang++)"
        return reason

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One step in one program."""
        loss: Tensor = self._step(x, y)
        return loss
