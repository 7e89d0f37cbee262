"""The specification against finite differences, and against torch's autograd in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import random_digits
from zipnet import schemes
from zipnet.net import MaskedNet, Net, loss_fn
from zipnet.params import NAMES, Params
from zipnet.recipe import AS_PRINTED, KARPATHY_1989
from zipnet.reference import Reference, backward, curvature, forward, loss_of

RECIPES = [
    KARPATHY_1989,
    replace(KARPATHY_1989, activation="relu"),
    replace(KARPATHY_1989, loss="cross_entropy", output="identity"),
    replace(KARPATHY_1989, loss="cross_entropy", activation="relu", output="identity"),
    AS_PRINTED,
    replace(KARPATHY_1989, scheme="balanced"),
]
IDS = ["1989", "relu", "cross-entropy", "relu-cross-entropy", "as-printed", "balanced"]
# The curvature's own: weights that are not shared by blocks too.
PRINTED = [AS_PRINTED, replace(AS_PRINTED, scheme="random")]


def network(params, recipe):
    """The torch module, in float64; that of 2022 where the scheme is."""
    return (Net if recipe.scheme == "blocks" else MaskedNet)(params, recipe).double()


def gradients(reference, x, y):
    trace = forward(reference.weights, x, reference.recipe)
    d_out = loss_of(trace.out, y, reference.recipe)[1]
    return backward(reference.weights, trace, d_out, reference.recipe)


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
    net = network(start, recipe)
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


def squashed(sums):
    """The scaled tanh, written once more."""
    return 1.71593428 * torch.tanh(2 / 3 * sums)


def padded(planes):
    return torch.nn.functional.pad(planes, (2, 2, 2, 2), value=-1.0)


# The sums of each layer from those of the layer below, with weights and biases: (below, w, b).
def sums_by(table):
    return {
        "H1": lambda x, w, b: torch.conv2d(padded(x), w, stride=2) + b,
        "H2": lambda below, w, b: (
            torch.cat(
                [
                    torch.conv2d(padded(squashed(below))[:, seen], w[plane : plane + 1], stride=2)
                    for plane, seen in enumerate(table.tolist())
                ],
                dim=1,
            )
            + b
        ),
        "H3": lambda below, w, b: squashed(below).flatten(1) @ w + b,
        "out": lambda below, w, b: squashed(below) @ w + b,
    }


def squared_sum(jacobian, h, shape):
    """sum over k of jacobian[k, i]^2 h[k]; the leading axes of the jacobian are those of h."""
    return (jacobian.reshape(h.numel(), -1) ** 2 * h.reshape(-1, 1)).sum(0).reshape(shape)


def curvature_by_jacobians(w, x, scheme="blocks"):
    """Second derivatives of 0.1 sum (o - y)^2 for one digit, by automatic differentiation alone."""
    values, layers = [x], sums_by(schemes.table(scheme))
    for name, sums in layers.items():
        values.append(sums(values[-1], w[f"{name}w"], w[f"{name}b"]))
    h = squared_sum(
        torch.func.jacrev(squashed)(values[-1]),
        torch.full((10,), 0.2, dtype=torch.float64),
        values[-1].shape,
    )
    found = {}
    for (name, sums), below in reversed(list(zip(layers.items(), values, strict=False))):
        arguments = (below, w[f"{name}w"], w[f"{name}b"])
        jacobians = torch.func.jacrev(sums, argnums=(0, 1, 2))(*arguments)
        h_below, found[f"{name}w"], found[f"{name}b"] = (
            squared_sum(jacobian, h, argument.shape)
            for jacobian, argument in zip(jacobians, arguments, strict=True)
        )
        h = h_below
    return found


def gauss_newton_diagonal(w, x, recipe):
    """diag(J'J) of the same loss, J being the outputs' derivatives by every parameter."""
    net = network(Params.init(0), recipe)
    jacobians = torch.func.jacrev(lambda w: torch.func.functional_call(net, w, (x,)))(w)
    tens = torch.full((10,), 0.2, dtype=torch.float64)
    return {name: squared_sum(jacobians[name], tens, w[name].shape) for name in NAMES}


@pytest.mark.parametrize("recipe", PRINTED, ids=lambda recipe: recipe.scheme)
def test_the_curvature_is_that_of_squared_jacobians_layer_by_layer(recipe, start):
    """And the diagonal of J'J for H3 and the outputs, but not below: paths meet there."""
    x, _ = random_digits(2)
    reference = Reference.start(start, recipe)
    w = {name: torch.tensor(array) for name, array in reference.weights.items()}
    trace = forward(reference.weights, x.astype(np.float64), recipe)
    found = curvature(reference.weights, trace, recipe)
    each = [torch.tensor(x[i : i + 1]).double() for i in range(2)]
    layered = [curvature_by_jacobians(w, one, recipe.scheme) for one in each]
    diagonal = [gauss_newton_diagonal(w, one, recipe) for one in each]
    for name in NAMES:
        expected, exact = ((a[name] + b[name]).numpy() / 2 for a, b in (layered, diagonal))
        np.testing.assert_allclose(found[name], expected, rtol=1e-10, atol=1e-18)
        if name.startswith(("H3", "out")):
            np.testing.assert_allclose(found[name], exact, rtol=1e-10, atol=1e-18)
        else:
            assert np.abs(found[name] - exact).max() > 0.1 * exact.max()


def test_a_pseudo_newton_step_is_the_simulators_in_the_units_of_its_cost(start):
    """E = 1/2 sum (o - y)^2, eps 0.0005, gamma and mu 0.05, from autograd and the Jacobians."""
    x, y = (torch.tensor(a).double() for a in random_digits(4))
    reference = Reference.start(start, AS_PRINTED)
    w = {name: torch.tensor(array) for name, array in reference.weights.items()}
    net = Net(start, AS_PRINTED).double()
    sigma = dict.fromkeys(NAMES, 0.0)

    def cost(w, x, y):
        return 0.5 * ((torch.func.functional_call(net, w, (x,)) - y) ** 2).sum()

    for i in range(4):
        one = (x[i : i + 1], y[i : i + 1])
        h, g = curvature_by_jacobians(w, one[0]), torch.func.grad(cost)(w, *one)
        sigma = {name: 0.95 * sigma[name] + 0.05 * 5 * h[name] for name in NAMES}
        w = {name: w[name] - 0.0005 * g[name] / (0.05 + sigma[name]) for name in NAMES}
        reference.step(*one, AS_PRINTED.lr)
    for name in NAMES:
        np.testing.assert_allclose(reference.weights[name], w[name], rtol=0, atol=1e-14)
        np.testing.assert_allclose(5 * reference.sigma[name], sigma[name], rtol=1e-10)
