"""eager: torch as most people write it, one operation at a time, autograd for the gradients.

It is the way of 2022, Karpathy's repro.py; tuned is the same at its best. What it costs is
dispatch: some eighty operations a step, each far cheaper than asking for it.
"""

from __future__ import annotations

from typing import ClassVar, final

from torch import Tensor

from zipnet.engines._torch_step import TorchEngine
from zipnet.net import Net


@final
class Eager(TorchEngine):
    """Forward, autograd, update."""

    name: ClassVar[str] = "eager"
    network: ClassVar[type[Net]] = Net
    onednn_from: ClassVar[int] = 0  # torch's own choice

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One step, operation by operation."""
        return self.step_by_autograd(x, y)
