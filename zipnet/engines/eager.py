"""eager: torch as most people write it, one operation at a time, autograd for the gradients.

It is the way of 2022, Karpathy's repro.py; tuned is the same at its best. What it costs is
dispatch: some eighty operations a step, each far cheaper than asking for it.
"""

from __future__ import annotations

from typing import ClassVar, final

from torch import Tensor

from zipnet.engines._torch_step import TorchEngine
from zipnet.engines.base import by_blocks
from zipnet.net import Net
from zipnet.recipe import Recipe


@final
class Eager(TorchEngine):
    """Forward, autograd, update."""

    name: ClassVar[str] = "eager"
    network: ClassVar[type[Net]] = Net
    onednn_from: ClassVar[int] = 0  # torch's own choice

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """As torch, and H2 sees H1 by blocks, as in 2022."""
        return super().why_not(recipe, device) or by_blocks(recipe)

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One step, operation by operation."""
        return self.step_by_autograd(x, y)
