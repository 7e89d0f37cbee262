"""Net: the network as a torch module, with Karpathy's parameter names."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor, nn

from zipnet import paper
from zipnet.params import Params
from zipnet.recipe import Recipe
from zipnet.reference import H2_INPUTS


def _nonlinearity(name: str, a: Tensor) -> Tensor:
    if name == "tanh":
        return torch.tanh(a)
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
        hidden = self.recipe.activation
        x = F.pad(x, (2, 2, 2, 2), value=paper.BACKGROUND)  # (n, 1, 20, 20)
        h1 = _nonlinearity(hidden, F.conv2d(x, self.H1w, stride=2) + self.H1b)  # (n, 12, 8, 8)
        h1 = F.pad(h1, (2, 2, 2, 2), value=paper.BACKGROUND)  # (n, 12, 12, 12)
        blocks = [
            F.conv2d(_planes(h1, inputs), self.H2w[4 * g : 4 * g + 4], stride=2)
            for g, inputs in enumerate(H2_INPUTS)
        ]
        h2 = _nonlinearity(hidden, torch.cat(blocks, dim=1) + self.H2b)  # (n, 12, 4, 4)
        h3 = _nonlinearity(hidden, h2.flatten(1) @ self.H3w + self.H3b)  # (n, 30)
        return _nonlinearity(self.recipe.output, h3 @ self.outw + self.outb)  # (n, 10)


def _planes(h1: Tensor, inputs: tuple[int, ...]) -> Tensor:
    """The given planes of h1: a view where they are neighbours, else two blocks joined."""
    if inputs[-1] - inputs[0] + 1 == len(inputs):
        return h1[:, inputs[0] : inputs[-1] + 1]
    return torch.cat((h1[:, inputs[0] : inputs[3] + 1], h1[:, inputs[4] : inputs[-1] + 1]), dim=1)


def loss_fn(out: Tensor, y: Tensor, recipe: Recipe) -> Tensor:
    """The recipe's loss; out and y are (n, 10), y holds +1 for the class and -1 elsewhere."""
    if recipe.loss == "mse":
        return torch.mean((y - out) ** 2)
    return F.cross_entropy(out, y.argmax(dim=1))
