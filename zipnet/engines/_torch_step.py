"""What the torch engines share: where weights and digits live, and the mathematics of one step.

Engines differ only in how they execute it, which is the whole point of having several.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zipnet import devices
from zipnet.cpu import cores
from zipnet.engines.base import Engine, Placed, as_steps, draws_nothing
from zipnet.net import MaskedNet, Net, Weights, loss_fn
from zipnet.params import Array, Params
from zipnet.recipe import Recipe
from zipnet.reference import BETA1, BETA2, EPSILON

# Width from which H2 by blocks wins: the MACs that it saves are worth two more operations. Tried on
# a CPU.
WIDE: Final = 8


class Optimizer:
    """Plain SGD, AdamW or pseudo-Newton on a list of weights, in place.

    Learning rate, gamma and step count are tensors, so that a compiled or captured step may reuse
    one program while they change. means: running means of the gradients, AdamW's, or of the
    curvature, pseudo-Newton's sigma. squares: AdamW's, of the squared gradients.
    """

    def __init__(self, recipe: Recipe, weights: list[Tensor]) -> None:
        self.recipe = recipe
        self.lr = torch.tensor(recipe.lr, dtype=torch.float32, device=weights[0].device)
        self.steps = torch.zeros((), dtype=torch.float32, device=weights[0].device)
        self.gamma = torch.zeros_like(self.lr)
        optimizer = recipe.optimizer
        self.means = [torch.zeros_like(w) for w in weights] if optimizer != "sgd" else []
        self.squares = [torch.zeros_like(m) for m in self.means] if optimizer == "adamw" else []

    def reset(self) -> None:
        """Forget every step taken."""
        for memory in (self.steps, *self.means, *self.squares):
            memory.zero_()

    def curvatures(self, net: Net, weights: Weights, x: Tensor) -> list[Tensor]:
        """The second derivatives that update() wants: none but for pseudo-Newton."""
        if self.recipe.optimizer != "pseudo-newton":
            return []
        return list(net.curvature(weights, x).values())

    def update(
        self, weights: list[Tensor], gradients: list[Tensor], curvatures: list[Tensor]
    ) -> None:
        """One update, reference.Reference's in float32."""
        if self.recipe.optimizer == "sgd":
            torch._foreach_sub_(weights, torch._foreach_mul(gradients, self.lr))
            return
        if self.recipe.optimizer == "pseudo-newton":
            torch._foreach_add_(curvatures, self.means, alpha=-1)
            torch._foreach_mul_(curvatures, self.gamma)
            torch._foreach_add_(self.means, curvatures)
            moved = torch._foreach_div(gradients, torch._foreach_add(self.means, self.recipe.mu))
            torch._foreach_sub_(weights, torch._foreach_mul(moved, self.lr))
            return
        self.steps += 1
        torch._foreach_lerp_(self.means, gradients, 1 - BETA1)
        torch._foreach_mul_(self.squares, BETA2)
        torch._foreach_addcmul_(self.squares, gradients, gradients, 1 - BETA2)
        scale = torch.sqrt(1 - BETA2**self.steps)
        size = self.lr / (1 - BETA1**self.steps)
        for w, mean, square in zip(weights, self.means, self.squares, strict=True):
            w *= 1 - self.lr * self.recipe.weight_decay
            w -= size * mean / (torch.sqrt(square) / scale + EPSILON)


class TorchEngine(Engine):
    """Everything of a torch engine but the way it executes a step.

    network: the module that learns, of networks below WIDE. onednn_from: digits of a batch from
    which oneDNN convolves on CPUs; torch's own convolution, which has less to set up, takes fewer.
    """

    network: ClassVar[type[Net]] = MaskedNet
    onednn_from: ClassVar[int] = 64

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        super().__init__(recipe, device, threads)
        devices.require(device)
        by_blocks = recipe.width >= WIDE and recipe.scheme == "blocks"
        self.net = (Net if by_blocks else self.network)(Params.init(0, recipe), recipe, device)
        self.weights: list[Tensor] = list(self.net.parameters())
        self.optimizer = Optimizer(recipe, [w.detach() for w in self.weights])

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """Torch runs wherever it finds the device."""
        return devices.why_not(device) or draws_nothing(recipe)

    @abstractmethod
    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One step on one batch; returns its loss, a scalar on the device."""

    def step_by_autograd(self, x: Tensor, y: Tensor) -> Tensor:
        """step(), one operation at a time and autograd for the gradients; waits for nothing."""
        loss, gradients, curvatures = self.derivatives(x, y)
        with torch.no_grad():
            self.optimizer.update(self.weights, gradients, curvatures)
        return loss

    def derivatives(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Loss of a batch, its gradients, and the second derivatives that the optimizer wants.

        All three are means over the digits.
        """
        loss = loss_fn(self.net(x), y, self.recipe)
        gradients = torch.autograd.grad(loss, self.weights)
        with torch.no_grad():
            curvatures = self.optimizer.curvatures(self.net, dict(self.net.named_parameters()), x)
        return loss.detach(), list(gradients), curvatures

    def claim(self) -> None:
        """Set the thread count, and float32 that is float32: TF32 rounds products to 10 bits."""
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True  # a run can be repeated: no atomic sums
        # Left to itself torch counts the machine's cores, whatever part of them is ours; and of one
        # digit there is nothing to share out: threads that wait for each other cost more than it.
        torch.set_num_threads(self.threads or (1 if self.recipe.batch == 1 else cores()))

    def load(self, params: Params, seed: int = 0) -> None:  # noqa: ARG002 - draws nothing
        """Copy parameters in; see Engine.load."""
        with torch.no_grad():
            for weight, (_, array) in zip(self.weights, params.items(), strict=True):
                weight.copy_(torch.tensor(array))
        self.optimizer.reset()

    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits to the device; see Engine.place."""
        steps_x, steps_y = as_steps(x, y, batch)
        placed_x = torch.tensor(steps_x, device=self.device)
        placed_y = torch.tensor(steps_y, device=self.device)
        return Placed(placed_x, placed_y, len(steps_x), batch, str(placed_x.device))

    def prepare(self, placed: Placed) -> None:
        """Take one step and put everything back, so that lazy set-up is behind us."""
        self.claim()
        self.choose_convolution(placed.batch)
        self.set_rates()
        with self.put_back():
            self.step(placed.x[0], placed.y[0])
        self.sync()

    def choose_convolution(self, batch: int) -> None:
        """Let oneDNN or torch itself convolve, whichever is faster for the batch; process-wide."""
        set_flags: Callable[..., object] = torch.backends.mkldnn.set_flags  # untyped in torch
        set_flags(batch >= self.onednn_from, _fp32_precision=None)

    def set_rates(self) -> None:
        """Hand lr and gamma to the optimizer, where the device finds them."""
        self.optimizer.lr.fill_(self.lr)
        self.optimizer.gamma.fill_(self.gamma)

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """Whatever is learnt inside is forgotten: weights and optimizer's memory, bit for bit."""
        memory = [*self.weights, self.optimizer.steps, *self.optimizer.means]
        memory += self.optimizer.squares
        saved = [m.detach().clone() for m in memory]
        yield
        with torch.no_grad():
            for m, before in zip(memory, saved, strict=True):
                m.copy_(before)

    def run(self, placed: Placed) -> Tensor:
        """Step after step from Python; see Engine.run."""
        self.choose_convolution(placed.batch)
        self.set_rates()
        losses = [
            self.step(x, y) for x, y in zip(placed.x.unbind(), placed.y.unbind(), strict=True)
        ]
        return torch.stack(losses)

    def predict(self, placed: Placed) -> Tensor:
        """All digits in one batch; see Engine.predict."""
        self.choose_convolution(placed.presentations)
        with torch.inference_mode():
            return cast(Tensor, self.net(placed.x.flatten(0, 1)))

    def sync(self) -> None:
        """Wait for the device."""
        devices.synchronize(self.weights[0].device)

    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """Copy out; see Engine.numpy."""
        return cast("npt.NDArray[np.float32]", array.detach().cpu().numpy())

    def params(self) -> Params:
        """Copy the parameters out; see Engine.params."""
        return Params.from_mapping(
            {name: w.detach().cpu().numpy() for name, w in self.net.named_parameters()}
        )
