"""Net: the network as a torch module, with Karpathy's parameter names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor, nn

from zipnet import paper, schemes
from zipnet.params import NAMES, Params
from zipnet.recipe import Recipe

Weights = dict[str, Tensor]


def nonlinearity(name: str, a: Tensor) -> Tensor:
    """The named nonlinearity, elementwise."""
    if name == "tanh":
        return torch.tanh(a)
    if name == "scaled_tanh":
        return paper.AMPLITUDE * torch.tanh(paper.STEEPNESS * a)
    return torch.relu(a) if name == "relu" else a


class Net(nn.Module):
    """The 1989 network: (n, 1, 16, 16) float32 in [-1, 1] -> (n, 10)."""

    H1w: Tensor
    H1b: Tensor
    H2w: Tensor
    H2b: Tensor
    H3w: Tensor
    H3b: Tensor
    outw: Tensor
    outb: Tensor

    def __init__(self, params: Params, recipe: Recipe, device: str = "cpu") -> None:
        super().__init__()
        self.recipe = recipe
        for name, array in params.items():
            self.register_parameter(name, nn.Parameter(torch.tensor(array, device=device)))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of the last layer."""
        hidden, output = self.recipe.activation, self.recipe.output
        finish = [partial(nonlinearity, name) for name in (hidden, hidden, hidden, output)]
        w = {name: getattr(self, name) for name in NAMES}
        return _layers(w, x, paper.BACKGROUND, finish, self.convolve_h2)

    def convolve_h2(self, h1: Tensor, w: Tensor) -> Tensor:
        """Padded H1 (n, 12, 12, 12), H2w (12, 8, 5, 5) -> (n, 12, 4, 4): a convolution a block."""
        own = len(w) // 3
        blocks = [
            F.conv2d(_planes(h1, inputs), w[own * g : own * (g + 1)], stride=2)
            for g, inputs in enumerate(schemes.table("blocks")[::4].tolist())
        ]
        return torch.cat(blocks, dim=1)

    def curvature(self, w: Weights, x: Tensor) -> Weights:
        """reference.curvature at weights w, by differentiating a network of squares.

        Its layers are straight lines through what the true ones made of x: values a^2, slopes f'^2.
        """
        hidden, output = self.recipe.activation, self.recipe.output
        lines: list[Callable[[Tensor], Tensor]] = []

        def noting(name: str, sums: Tensor) -> Tensor:
            a = nonlinearity(name, sums)
            value, steepness = a**2, _slope(name, a) ** 2
            lines.append(lambda u: value + steepness * (u - u.detach()))
            return a

        names = (hidden, hidden, hidden, output)
        finish = [partial(noting, name) for name in names]
        _layers(w, x, paper.BACKGROUND, finish, self.convolve_h2)

        def total(squares: Weights) -> Tensor:
            out = _layers(squares, x**2, paper.BACKGROUND**2, lines, self.convolve_h2)
            return out.sum() * (2.0 / out.numel())

        of_w: Weights = torch.func.grad(total)({name: a.detach() ** 2 for name, a in w.items()})
        return of_w


class MaskedNet(Net):
    """The same with H2 as one convolution of twelve planes, the four unseen ones weighing 0.

    1.34 times the MACs, and a third of the operations to ask for.
    """

    inputs: Tensor
    seen: Tensor

    def __init__(self, params: Params, recipe: Recipe, device: str = "cpu") -> None:
        super().__init__(params, recipe, device)
        # Unseen inputs borrow weight 0, times 0: what they add to its gradient is 0 in any order,
        # so that a GPU's atomic sums repeat.
        planes, seen = params.H2w.shape[:2]
        slots = np.tile(np.arange(seen)[:, None, None], (planes, 1, 5, 5))
        where = torch.tensor(schemes.spread(slots, recipe.scheme), device=device)
        self.register_buffer("inputs", where, persistent=False)
        mask = torch.tensor(schemes.mask(recipe.scheme, recipe.width), device=device)
        self.register_buffer("seen", mask, persistent=False)

    def convolve_h2(self, h1: Tensor, w: Tensor) -> Tensor:
        """Padded H1 (n, 12, 12, 12), H2w (12, 8, 5, 5) -> (n, 12, 4, 4), all at once."""
        return F.conv2d(h1, torch.gather(w, 1, self.inputs) * self.seen, stride=2)


Finish = Sequence[Callable[[Tensor], Tensor]]  # of each layer: from its sums to its values
Convolve = Callable[[Tensor, Tensor], Tensor]  # padded H1 and H2w to H2's sums without biases


def _layers(w: Weights, x: Tensor, border: float, finish: Finish, convolve_h2: Convolve) -> Tensor:
    x = F.pad(x, (2, 2, 2, 2), value=border)  # (n, 1, 20, 20)
    h1 = finish[0](F.conv2d(x, w["H1w"], stride=2) + w["H1b"])  # (n, 12, 8, 8)
    h1 = F.pad(h1, (2, 2, 2, 2), value=border)  # (n, 12, 12, 12)
    h2 = finish[1](convolve_h2(h1, w["H2w"]) + w["H2b"])  # (n, 12, 4, 4)
    h3 = finish[2](h2.flatten(1) @ w["H3w"] + w["H3b"])  # (n, 30)
    return finish[3](h3 @ w["outw"] + w["outb"])  # (n, 10)


def _slope(name: str, a: Tensor) -> Tensor:
    """Derivative of the named nonlinearity, from its value a."""
    if name == "tanh":
        return 1.0 - a**2
    if name == "scaled_tanh":
        return paper.STEEPNESS * (paper.AMPLITUDE - a**2 / paper.AMPLITUDE)
    return (a > 0).to(a.dtype) if name == "relu" else torch.ones_like(a)


def _planes(h1: Tensor, inputs: list[int]) -> Tensor:
    """The given planes of h1: a view where they are neighbours, else two blocks joined."""
    k = h1.shape[1] // 12
    if inputs[-1] - inputs[0] + 1 == len(inputs):
        return h1[:, inputs[0] * k : (inputs[-1] + 1) * k]
    halves = [h1[:, half[0] * k : (half[-1] + 1) * k] for half in (inputs[:4], inputs[4:])]
    return torch.cat(halves, dim=1)


def loss_fn(out: Tensor, y: Tensor, recipe: Recipe) -> Tensor:
    """The recipe's loss; out and y are (n, 10), y holds +1 for the class and -1 elsewhere."""
    if recipe.loss == "mse":
        return torch.mean((y - out) ** 2)
    return F.cross_entropy(out, y.argmax(dim=1))
