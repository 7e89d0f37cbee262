"""compiled: the whole step, forward to update, as one torch.compile program.

Inductor fuses what it can; what remains a step is one guarded call from Python. Tried in one run on
a CPU: H2 by blocks, as one convolution and as a product of unfolded windows; oneDNN on and off; a
wrapper in C++. One convolution wins from middling batches on, and nearly for single digits; the
wrapper gains nothing that can be seen.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, final

import torch
from torch import Tensor

from zipnet.cpu import PATIENCE
from zipnet.engines._torch_step import TorchEngine
from zipnet.errors import answer
from zipnet.net import loss_fn
from zipnet.recipe import Recipe


def _compiler() -> str:
    return os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")


@functools.cache
def _compiles(compiler: str) -> bool:
    asked = functools.partial(subprocess.run, check=True, capture_output=True, timeout=PATIENCE)
    return bool(answer(lambda: asked([compiler, "--version"])))


@final
class Compiled(TorchEngine):
    """torch.func for the gradients, so that Dynamo sees one function of tensors."""

    name: ClassVar[str] = "compiled"
    folders: ClassVar[tuple[str, ...]] = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")
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
            arrays = dict(zip(names, self.weights, strict=True))
            curvatures = self.optimizer.curvatures(self.net, arrays, x)
            self.optimizer.update(self.weights, gradients, curvatures)
            return loss

        self._step = torch.compile(step, fullgraph=True, dynamic=False)

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """As torch, and Inductor needs a compiler for the device."""
        reason = super().why_not(recipe, device)
        # Asked apart from a trial, for which Inductor may have kept all that it needs.
        if reason is None and device == "cpu" and not _compiles(_compiler()):
            compiler = f"{Path(_compiler()).name}{', as CXX says,' if 'CXX' in os.environ else ''}"
            reason = f"torch.compile needs a C++ compiler: {compiler} does not run"
        return reason

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One step in one program."""
        loss: Tensor = self._step(x, y)
        return loss
