"""Rivals: their sizes by fvcore, and a training that is what its recipe says."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import random_digits
from zipnet import chance, engines, paper
from zipnet.data import Digits
from zipnet.data.digits import Splits
from zipnet.errors import UserError
from zipnet.evaluation import targets
from zipnet.net import loss_fn
from zipnet.recipe import KARPATHY_1989, named
from zipnet.replicas import Replica, train_replicas
from zipnet.rivals import rival, train_rival

FULLY_CONNECTED, MICRO_VIT = named("fully-connected"), named("micro-vit")


def digits_of(count, seed=1):
    x, y = random_digits(count, seed)
    labels = y.argmax(axis=1).astype(np.uint8)
    return Digits.of("random", Splits(x, labels, x[:20], labels[:20]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("recipe", "params", "macs"),
    [(FULLY_CONNECTED, 10_690, 10_640), (MICRO_VIT, 9_088, 58_284)],
    ids=lambda value: getattr(value, "name", None),
)
def test_sizes_are_as_fvcore_counts_them(recipe, params, macs):
    """Products alone: fvcore also counts what normalizing adds, which no MAC of 1989 does."""
    from fvcore.nn import FlopCountAnalysis, parameter_count

    network = rival(recipe, 0).eval()
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    flops = FlopCountAnalysis(network, torch.zeros(1, 1, 16, 16)).by_operator()
    assert parameter_count(network)[""] == params
    assert sum(flops[kind] for kind in flops if kind != "layer_norm") == macs
    assert set(flops) <= {"linear", "matmul", "layer_norm"}
    if recipe is MICRO_VIT:  # the article's 10,690 connections are more than its 9,760 parameters
        assert params <= paper.PARAMS
        assert macs <= paper.MACS


def test_attention_mixes_tokens_as_torchs_own_does():
    block = rival(MICRO_VIT, 3).blocks[0]
    tokens = torch.randn(5, 16, 12, generator=torch.Generator().manual_seed(0))
    theirs = torch.nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(block.queries_keys_values.weight)
        theirs.in_proj_bias.copy_(block.queries_keys_values.bias)
        theirs.out_proj.load_state_dict(block.joined.state_dict())
        block.down.weight.zero_()
        block.down.bias.zero_()
        normed = block.before_attention(tokens)
        expected = tokens + theirs(normed, normed, normed)[0]
        torch.testing.assert_close(block(tokens), expected)


def test_patches_are_squares_of_the_image():
    """A pixel changes the token of its own square before attention, and no other."""
    network = rival(MICRO_VIT, 0)
    seen = []
    network.patch.register_forward_hook(lambda _, __, out: seen.append(out))
    image = torch.zeros(1, 1, 16, 16)
    with torch.no_grad():
        network(image)
        image[0, 0, 5, 14] = 1
        network(image)
    changed = (seen[0] != seen[1]).any(dim=2)[0]
    assert changed.nonzero().flatten().tolist() == [1 * 4 + 3]


@pytest.mark.parametrize("recipe", [FULLY_CONNECTED, MICRO_VIT], ids=lambda recipe: recipe.name)
def test_training_is_step_by_step_what_the_recipe_says(recipe):
    """By another road: torch.roll for each digit, and the optimizers of torch for one step each."""
    recipe = replace(recipe, passes=2, batch=12)  # two batches of 12 and a tail of 6
    digits = digits_of(30)
    training = train_rival(recipe, digits, seed=4)

    network = rival(recipe, 4)
    kind = torch.optim.SGD if recipe.optimizer == "sgd" else torch.optim.AdamW
    optimizer = kind(network.parameters(), weight_decay=recipe.weight_decay)
    y = torch.tensor(targets(digits.y_train))
    for index in range(2):
        x = torch.tensor(digits.x_train)
        if recipe.shift:
            moves = chance.shifts(4, np.arange(30) + 30 * index)
            x = torch.stack(
                [torch.roll(one, tuple(m), (1, 2)) for one, m in zip(x, moves, strict=True)]
            )
        for batch in (slice(0, 12), slice(12, 24), slice(24, 30)):
            optimizer.param_groups[0]["lr"] = recipe.lr_at(index)
            optimizer.zero_grad()
            loss_fn(network(x[batch]), y[batch], recipe).backward()
            optimizer.step()
    with torch.no_grad():
        expected = loss_fn(network(torch.tensor(digits.x_train)), y, recipe).item()
    assert training.presentations == 60
    assert training.train.loss == pytest.approx(expected, rel=1e-4)


def test_a_rival_learns_and_is_evaluated_after_every_pass():
    seen = []
    training = train_rival(
        replace(FULLY_CONNECTED, passes=8),
        digits_of(40),
        after_pass=lambda *told: seen.append(told),
    )
    assert [number for number, _, _ in seen] == list(range(1, 9))
    assert seen[-1][1:] == (training.train, training.test)
    assert training.train.loss < 0.5 * seen[0][1].loss


def test_replicas_of_a_rival_are_its_seeds_one_by_one():
    recipe, digits = replace(FULLY_CONNECTED, passes=1), digits_of(40)
    told = []
    finished = train_replicas(
        "torch",
        recipe,
        digits,
        [Replica(2), Replica(3, lr=0.01)],
        after_each=lambda *n: told.append(n),
    )
    alone = [
        train_rival(recipe, digits, 2),
        train_rival(replace(recipe, lr=0.01, lr_end=0.01), digits, 3),
    ]
    assert [t.train for t in finished.trainings] == [t.train for t in alone]
    assert [done for done, _ in told] == [1, 2]


def test_first_weights_leave_torchs_own_generator_alone():
    before = torch.random.get_rng_state()
    one, same, other = (rival(MICRO_VIT, seed).patch.weight for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_what_a_rival_cannot_do_is_refused():
    with pytest.raises(UserError, match="recipe 1989 trains the network of 1989, no rival"):
        rival(KARPATHY_1989, 0)
    with pytest.raises(UserError, match="micro-vit: recipe micro-vit drops at random"):
        rival(replace(MICRO_VIT, dropout=0.25), 0)
    newton = replace(named("as-printed"), network="fully-connected")
    with pytest.raises(UserError, match=r"fully-connected: .* needs second derivatives"):
        rival(newton, 0)
    with pytest.raises(UserError, match="batch is 64, but random has 40"):
        train_rival(replace(MICRO_VIT, batch=64), digits_of(40))
    with pytest.raises(UserError, match="device 'tpu' is not known"):
        train_rival(MICRO_VIT, digits_of(40), device="tpu")
    diverging = replace(
        FULLY_CONNECTED, lr=1e30, lr_end=1e30, activation="relu", output="identity", passes=3
    )
    with pytest.raises(UserError, match="diverged in pass 1"):
        train_rival(diverging, digits_of(40))


@pytest.mark.parametrize("name", engines.names())
def test_no_engine_takes_a_rival_for_the_network_of_1989(name):
    with pytest.raises(UserError, match=r"micro-vit trains another network|not installed"):
        engines.make(name, MICRO_VIT, "cpu")
