"""tuned: torch one operation at a time, as somebody would write it who had looked for the fastest.

What was tried in one run on a CPU, at batches of 1 to 7,291: H2 as three convolutions, as one whose
unseen inputs weigh 0, and as a matrix product of unfolded windows; oneDNN on and off; images
channels last; one thread and all. One convolution is the fastest at every batch; oneDNN costs more
to set up than a small batch takes to convolve; channels last gains nothing on planes so small.
"""

from __future__ import annotations

from typing import ClassVar, final

from torch import Tensor

from zipnet.engines._torch_step import TorchEngine


@final
class Tuned(TorchEngine):
    """Forward, autograd, update, as eager."""

    name: ClassVar[str] = "tuned"

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One step, operation by operation."""
        return self.step_by_autograd(x, y)
