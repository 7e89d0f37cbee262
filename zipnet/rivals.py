"""Rivals: other networks for the same digits, in plain torch, to set beside the one of 1989.

    training = train_rival(zipnet.named("micro-vit"), digits, seed=0)

fully-connected is the article's own comparison, one layer of 40 hidden units. micro-vit is what
Karpathy tried in 2022, a vision transformer (Dosovitskiy et al. 2021) of about the parameters and
MACs of the ConvNet: its last two layers are H3 and out, and all before them is attention.

Speed is not asked of them, only what they learn, so they have neither Params nor engines. What a
recipe says of order, passes, batch, loss, optimizer, learning rate and shifts holds here too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from zipnet import chance, devices, paper
from zipnet.cpu import cores
from zipnet.data import Digits
from zipnet.engines.base import Placed, first_order
from zipnet.errors import UserError
from zipnet.evaluation import Evaluation, Split, judge, targets
from zipnet.net import loss_fn, nonlinearity
from zipnet.params import Array
from zipnet.recipe import Recipe
from zipnet.training import Training, require_all_finite, require_batch

HIDDEN = 40  # units, of the article
PATCH, WIDTH, HEADS, BLOCKS, MLP = 4, 12, 3, 2, 24  # ours, to stay below the ConvNet's counts
TOKENS = (paper.IMAGE_SIDE // PATCH) ** 2


class Rival(nn.Module):
    """A network of a recipe's nonlinearities: (n, 1, 16, 16) float32 in [-1, 1] -> (n, 10)."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe


class FullyConnected(Rival):
    """256-40-10. Weights start as the ConvNet's do."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.hidden = nn.Linear(paper.IMAGE_SIDE**2, HIDDEN)
        self.out = nn.Linear(HIDDEN, paper.CLASSES)
        for layer in (self.hidden, self.out):
            bound = recipe.bound(layer.in_features)
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.out.bias, recipe.output_bias)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of the last layer."""
        hidden = nonlinearity(self.recipe.activation, self.hidden(x.flatten(1)))
        return nonlinearity(self.recipe.output, self.out(hidden))


class Block(nn.Module):
    """Attention among the tokens, then two layers at each: (n, 16, 12) -> (n, 16, 12)."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        self.activation = activation
        self.before_attention, self.before_mlp = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.queries_keys_values = nn.Linear(WIDTH, 3 * WIDTH)
        self.joined = nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, MLP), nn.Linear(MLP, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """What the block adds to the tokens is learnt; both halves are residual."""
        n = len(tokens)
        mixed = self.queries_keys_values(self.before_attention(tokens))
        q, k, v = mixed.view(n, TOKENS, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS), dim=-1)
        tokens = tokens + self.joined((weights @ v).transpose(1, 2).reshape(n, TOKENS, WIDTH))
        hidden = nonlinearity(self.activation, self.up(self.before_mlp(tokens)))
        out: Tensor = tokens + self.down(hidden)
        return out


class MicroVit(Rival):
    """16 patches of 4x4, two blocks, H3 and out. Weights start as torch's layers do."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.patch = nn.Linear(PATCH * PATCH, WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(TOKENS, WIDTH))
        self.blocks = nn.Sequential(*(Block(recipe.activation) for _ in range(BLOCKS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.H3, self.out = nn.Linear(TOKENS * WIDTH, 30), nn.Linear(30, paper.CLASSES)
        nn.init.constant_(self.out.bias, recipe.output_bias)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of the last layer."""
        side = paper.IMAGE_SIDE // PATCH
        patches = x.view(-1, side, PATCH, side, PATCH).transpose(2, 3).flatten(3).flatten(1, 2)
        tokens = self.norm(self.blocks(self.patch(patches) + self.place))
        h3 = nonlinearity(self.recipe.activation, self.H3(tokens.flatten(1)))
        return nonlinearity(self.recipe.output, self.out(h3))


NETWORKS: dict[str, type[Rival]] = {"fully-connected": FullyConnected, "micro-vit": MicroVit}


def rival(recipe: Recipe, seed: int) -> Rival:
    """The recipe's network with fresh weights. Raises UserError for the network of 1989."""
    if not recipe.rival:
        raise UserError(f"recipe {recipe.name} trains the network of {recipe.network}, no rival")
    reason = first_order(recipe)
    if recipe.dropout:
        reason = f"recipe {recipe.name} drops at random, which it does not"
    if reason is not None:
        raise UserError(f"{recipe.network}: {reason}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[recipe.network](recipe)


def train_rival(
    recipe: Recipe,
    digits: Digits,
    seed: int = 0,
    *,
    device: str = "cpu",
    threads: int | None = None,
    after_pass: Callable[[int, Evaluation, Evaluation], None] | None = None,
) -> Training:
    """Train the recipe's network and evaluate it, as zipnet.train() does that of 1989.

    seed: of the first weights and of shifts. A seed is repeated by the same torch only.
    """
    devices.require(device)
    require_batch(recipe, digits)
    torch.set_num_threads(threads or cores())
    network = rival(recipe, seed).to(device)
    optimizer: torch.optim.Optimizer = (
        torch.optim.AdamW(
            network.parameters(), recipe.lr, weight_decay=recipe.weight_decay, fused=True
        )
        if recipe.optimizer == "adamw"
        else torch.optim.SGD(network.parameters(), recipe.lr)
    )
    splits = [
        _placed(x, labels, device)
        for x, labels in ((digits.x_train, digits.y_train), (digits.x_test, digits.y_test))
    ]
    x, y = splits[0].placed.x[0], splits[0].placed.y[0]
    seconds = 0.0
    for index in range(recipe.passes):
        began = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = recipe.lr_at(index)
        shown = _shifted(x, seed, index * len(x)) if recipe.shift else x
        losses = torch.stack(
            [
                _step(network, optimizer, shown[i : i + recipe.batch], y[i : i + recipe.batch])
                for i in range(0, len(x), recipe.batch)
            ]
        )
        devices.synchronize(x.device)
        seconds += time.perf_counter() - began
        require_all_finite(losses.cpu().numpy(), recipe.lr_at(index), index)
        if after_pass is not None or index + 1 == recipe.passes:
            on_train, on_test = (_evaluated(network, split) for split in splits)
            if after_pass is not None:
                after_pass(index + 1, on_train, on_test)
    return Training(len(x) * recipe.passes, seconds, on_train, on_test)


def _placed(x: Array, labels: np.ndarray, device: str) -> Split:
    y = targets(labels)
    placed_x, placed_y = (torch.tensor(a, device=device)[None] for a in (x, y))
    return Split(Placed(placed_x, placed_y, 1, len(x), str(placed_x.device)), labels, y)


def _step(network: Rival, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> Tensor:
    loss = loss_fn(network(x), y, network.recipe)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimizer.step()
    return loss.detach()


def _evaluated(network: Rival, split: Split) -> Evaluation:
    with torch.inference_mode():
        outputs = network(split.placed.x[0])
    return judge(outputs.cpu().numpy(), split, network.recipe)


def _shifted(x: Tensor, seed: int, presented: int) -> Tensor:
    """Each image rolled as the reference rolls it at that presentation."""
    moves = chance.shifts(seed, np.arange(presented, presented + len(x)))
    down, right = torch.tensor(moves, device=x.device).unbind(1)
    at = torch.arange(paper.IMAGE_SIDE, device=x.device)
    rows, columns = ((at - move[:, None]) % paper.IMAGE_SIDE for move in (down, right))
    digit = torch.arange(len(x), device=x.device)[:, None, None]
    return x[digit, 0, rows[:, :, None], columns[:, None, :]][:, None]
