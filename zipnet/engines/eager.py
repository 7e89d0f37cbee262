"""eager: torch as most people write it, one operation at a time, autograd for the gradients.

What it costs is dispatch: some eighty operations a step, each far cheaper than asking for it.
"""

from __future__ import annotations

from typing import ClassVar, final

import torch
from torch import Tensor

from zipnet.engines._torch_step import TorchEngine
from zipnet.net import loss_fn


@final
class Eager(TorchEngine):
    """Forward, autograd, update."""

    name: ClassVar[str] = "eager"

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One step, operation by operation."""
        loss = loss_fn(self.net(x), y, self.recipe)
        gradients = torch.autograd.grad(loss, self.weights)
        with torch.no_grad():
            self.optimizer.update(self.weights, list(gradients))
        return loss.detach()
