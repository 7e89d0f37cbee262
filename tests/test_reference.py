"""The specification against finite differences, and against torch's autograd in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import random_digits
from zipnet.net import Net, loss_fn
from zipnet.params import NAMES, Params
from zipnet.recipe import KARPATHY_1989
from zipnet.reference import Reference, backward, forward, loss_of

RECIPES = [
    KARPATHY_1989,
    replace(KARPATHY_1989, activation="relu"),
    replace(KARPATHY_1989, loss="cross_entropy", output="identity"),
    replace(KARPATHY_1989, loss="cross_entropy", activation="relu", output="identity"),
]
IDS = ["1989", "relu", "cross-entropy", "relu-cross-entropy"]


def gradients(reference, x, y):
    trace = forward(reference.weights, x, reference.recipe)
    return backward(
        reference.weights, trace, loss_of(trace.out, y, reference.recipe)[1], reference.recipe
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=IDS)
def test_gradients_agree_with_finite_differences(recipe, start):
    x, y = (a.astype(np.float64) for a in random_digits(3))
    reference = Reference.start(start, recipe)
    analytic = gradients(reference, x, y)
    rng = np.random.default_rng(1)
    for name in NAMES:
        flat = reference.weights[name].reshape(-1)
        for i in rng.choice(flat.size, min(6, flat.size), replace=False):
            kept, losses = flat[i], []
            for nudge in (1e-6, -1e-6):
                flat[i] = kept + nudge
                losses.append(loss_of(reference.predict(x), y, recipe)[0])
            flat[i] = kept
            numeric = (losses[0] - losses[1]) / 2e-6
            assert analytic[name].reshape(-1)[i] == pytest.approx(numeric, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("recipe", RECIPES, ids=IDS)
def test_forward_and_gradients_agree_with_autograd_in_float64(recipe, start):
    x, y = (a.astype(np.float64) for a in random_digits(5))
    reference = Reference.start(start, recipe)
    net = Net(start, recipe).double()
    out = net(torch.tensor(x))
    np.testing.assert_allclose(reference.predict(x), out.detach().numpy(), rtol=1e-12, atol=1e-14)
    loss_fn(out, torch.tensor(y), recipe).backward()
    analytic = gradients(reference, x, y)
    for name, parameter in net.named_parameters():
        np.testing.assert_allclose(analytic[name], parameter.grad.numpy(), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(
    ("recipe", "make"),
    [
        (KARPATHY_1989, lambda w: torch.optim.SGD(w, lr=0.03)),
        (
            replace(KARPATHY_1989, optimizer="adamw", weight_decay=0.1),
            lambda w: torch.optim.AdamW(w, lr=0.03, weight_decay=0.1),
        ),
    ],
    ids=["sgd", "adamw"],
)
def test_updates_agree_with_torchs_optimizers(recipe, make, start):
    x, y = (a.astype(np.float64) for a in random_digits(12))
    reference, net = Reference.start(start, recipe), Net(start, recipe).double()
    optimizer = make(net.parameters())
    for i in range(len(x)):
        reference.step(x[i : i + 1], y[i : i + 1], 0.03)
        optimizer.zero_grad()
        loss_fn(net(torch.tensor(x[i : i + 1])), torch.tensor(y[i : i + 1]), recipe).backward()
        optimizer.step()
    for name, parameter in net.named_parameters():
        np.testing.assert_allclose(
            reference.weights[name], parameter.detach().numpy(), rtol=1e-7, atol=1e-9
        )


def test_border_units_are_background():
    """An image of background only gives every H1 unit the same input, the border's included."""
    params = Params.init(0)
    reference = Reference.start(params, KARPATHY_1989)
    trace = forward(reference.weights, np.full((1, 1, 16, 16), -1.0), KARPATHY_1989)
    assert np.ptp(trace.h1, axis=(2, 3)).max() < 1e-12
