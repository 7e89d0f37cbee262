"""The specification: forward, backward and update in plain float64 NumPy.

Nothing here is fast and nothing here is borrowed: every engine is held against this file, and
this file is held against finite differences (tests/test_reference.py).

Letters: n digits in the batch; o output planes; y, x positions in a plane.

Pseudo-Newton is the rule of LeCun's simulator (Becker & LeCun 1988; sn28.hlp). A second derivative
h goes backward as the gradient does, through squares: of weights, of slopes and of what each layer
saw; what f'' would add is left out, so that h is never negative (Levenberg-Marquardt).

    h_i = f'(a_i)^2 sum_k w_ki^2 h_k           of a unit's sum a_i; f'^2 d2E/do2 at the outputs
    h_w = sum over w's positions of h_i x_j^2  of a weight, shared or not; x = 1 for a bias
    sigma <- (1 - gamma) sigma + gamma h       then  w <- w - lr g / (mu + sigma)

Off the diagonal everything is dropped at every layer: for H3 and the outputs h is the diagonal of
the Gauss-Newton matrix J'J of the loss, for H1 and H2 it is not.

Units of mu: the simulator's cost is E = 1/2 sum over outputs of (o - y)^2, with d2E/do2 = 1. Our
loss is the mean over ten outputs without the half, L = E / 5, so g and h are a fifth of the
simulator's. Its eps g / (mu + sigma) = eps (g / 5) / (mu / 5 + sigma / 5): the learning rate is its
eps, and mu is a fifth of its mu. A batch's loss is a mean over digits, and so is its h.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from zipnet import chance, paper, schemes
from zipnet.params import NAMES, Params
from zipnet.recipe import Recipe

Array = npt.NDArray[np.float64]
Weights = dict[str, Array]

# AdamW's constants, torch's defaults (Loshchilov & Hutter 2019).
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def pad(planes: Array) -> Array:
    """Two background units on every side: (n, c, s, s) -> (n, c, s + 4, s + 4)."""
    return np.pad(planes, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=paper.BACKGROUND)


def windows(padded: Array) -> Array:
    """What a 5x5 kernel at stride 2 sees: (n, c, s + 4, s + 4) -> (n, c, s / 2, s / 2, 5, 5)."""
    return sliding_window_view(padded, (5, 5), (2, 3))[:, :, ::2, ::2]


def conv(padded: Array, w: Array) -> Array:
    """5x5 convolution at stride 2: (n, c, s + 4, s + 4), (o, c, 5, 5) -> (n, o, s / 2, s / 2)."""
    out: Array = np.einsum("ncyxij,ocij->noyx", windows(padded), w, optimize=True)
    return out


def conv_weight_gradient(padded: Array, delta: Array) -> Array:
    """Gradient of conv() with respect to w: (o, c, 5, 5)."""
    gradient: Array = np.einsum("ncyxij,noyx->ocij", windows(padded), delta, optimize=True)
    return gradient


def conv_input_gradient(delta: Array, w: Array) -> Array:
    """Gradient of conv() with respect to the unpadded input: (n, c, s, s)."""
    n, _, side, _ = delta.shape
    padded = np.zeros((n, w.shape[1], 2 * side + 4, 2 * side + 4))
    shares = np.einsum("noyx,ocij->ijncyx", delta, w, optimize=True)
    for i, j in np.ndindex(5, 5):  # one by one, because windows overlap
        padded[:, :, i : i + 2 * side : 2, j : j + 2 * side : 2] += shares[i, j]
    return padded[:, :, 2:-2, 2:-2]


def activate(name: str, a: Array) -> Array:
    """The named nonlinearity, elementwise."""
    if name == "tanh":
        return np.tanh(a)
    if name == "scaled_tanh":
        return paper.AMPLITUDE * np.tanh(paper.STEEPNESS * a)
    if name == "relu":
        return np.maximum(a, 0.0)
    return a


def slope(name: str, h: Array) -> Array:
    """Derivative of the named nonlinearity, from its output h."""
    if name == "tanh":
        return 1.0 - h * h
    if name == "scaled_tanh":
        return paper.STEEPNESS * (paper.AMPLITUDE - h * h / paper.AMPLITUDE)
    if name == "relu":
        return (h > 0).astype(np.float64)
    return np.ones_like(h)


@dataclass
class Trace:
    """What the backward pass needs of a forward pass."""

    x_padded: Array  # (n, 1, 20, 20)
    h1: Array  # (n, 12, 8, 8)
    h1_padded: Array  # (n, 12, 12, 12)
    h2: Array  # (n, 12, 4, 4)
    mask: Array  # (n, 12, 4, 4): what dropout multiplies h2 by; ones without
    h3: Array  # (n, 30)
    out: Array  # (n, 10)
    slope_1: Array  # of the activations, shaped as h1, h2, h3 and out
    slope_2: Array
    slope_3: Array
    slope_out: Array

    def squared(self) -> Trace:
        """Everything squared, for backward() to take second derivatives through."""
        return Trace(**{name: a * a for name, a in vars(self).items()})


def forward(w: Weights, x: Array, recipe: Recipe, mask: Array | None = None) -> Trace:
    """x: (n, 1, 16, 16) in [-1, 1]; mask: dropout's factors, while learning."""
    x_padded = pad(x)
    h1 = activate(recipe.activation, conv(x_padded, w["H1w"]) + w["H1b"])
    h1_padded = pad(h1)
    h2w = schemes.spread(w["H2w"], recipe.scheme)
    h2 = activate(recipe.activation, conv(h1_padded, h2w) + w["H2b"])
    mask = np.ones_like(h2) if mask is None else mask
    h3 = activate(recipe.activation, (h2 * mask).reshape(len(x), -1) @ w["H3w"] + w["H3b"])
    out = activate(recipe.output, h3 @ w["outw"] + w["outb"])
    slope_1, slope_2, slope_3 = (slope(recipe.activation, h) for h in (h1, h2, h3))
    slope_out = slope(recipe.output, out)
    return Trace(x_padded, h1, h1_padded, h2, mask, h3, out, slope_1, slope_2, slope_3, slope_out)


def loss_of(out: Array, y: Array, recipe: Recipe) -> tuple[float, Array]:
    """Loss, and its gradient with respect to out (n, 10); y is (n, 10) of +-1."""
    n = len(out)
    if recipe.loss == "mse":
        return float(np.mean((y - out) ** 2)), 2.0 * (out - y) / out.size
    is_class = y > 0
    shifted = out - out.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-log_p[is_class].sum() / n), (np.exp(log_p) - is_class) / n


def curvature(w: Weights, t: Trace, recipe: Recipe) -> Weights:
    """Pseudo-Newton's h of the eight arrays, for the mean squared error of a batch."""
    squares = {name: a * a for name, a in w.items()}
    return backward(squares, t.squared(), np.full_like(t.out, 2.0 / t.out.size), recipe)


def backward(w: Weights, t: Trace, d_out: Array, recipe: Recipe) -> Weights:
    """Gradients of the eight arrays, from the gradient with respect to the outputs."""
    n = len(d_out)
    delta_out = d_out * t.slope_out  # (n, 10)
    delta_3 = (delta_out @ w["outw"].T) * t.slope_3  # (n, 30)
    d_h2 = (delta_3 @ w["H3w"].T).reshape(t.h2.shape) * t.mask
    delta_2 = d_h2 * t.slope_2  # (n, 12, 4, 4)
    h2w_gradient = conv_weight_gradient(t.h1_padded, delta_2)  # (12, 12, 5, 5)
    d_h1 = conv_input_gradient(delta_2, schemes.spread(w["H2w"], recipe.scheme))
    delta_1 = d_h1 * t.slope_1  # (n, 12, 8, 8)
    return {
        "H1w": conv_weight_gradient(t.x_padded, delta_1),
        "H1b": delta_1.sum(axis=0),
        "H2w": schemes.gathered(h2w_gradient, recipe.scheme),
        "H2b": delta_2.sum(axis=0),
        "H3w": (t.h2 * t.mask).reshape(n, -1).T @ delta_3,
        "H3b": delta_3.sum(axis=0),
        "outw": t.h3.T @ delta_out,
        "outb": delta_out.sum(axis=0),
    }


@dataclass
class Reference:
    """A network in float64 that takes one step at a time."""

    recipe: Recipe
    weights: Weights
    seed: int = 0
    steps: int = 0
    presented: int = 0
    moments: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    sigma: Weights = field(default_factory=dict)
    gamma: float = 0.0

    @classmethod
    def start(cls, params: Params, recipe: Recipe, seed: int = 0) -> Reference:
        """Begin from a copy of float32 parameters; seed is that of shifts and dropout."""
        weights = {name: array.astype(np.float64) for name, array in params.items()}
        return cls(recipe, weights, seed, gamma=recipe.gamma)

    def step(self, x: npt.ArrayLike, y: npt.ArrayLike, lr: float) -> float:
        """One update on a batch, (n, 1, 16, 16) and (n, 10); returns the loss before it."""
        x, mask = self._drawn(np.asarray(x, np.float64))
        trace = forward(self.weights, x, self.recipe, mask)
        loss, d_out = loss_of(trace.out, np.asarray(y, np.float64), self.recipe)
        gradients = backward(self.weights, trace, d_out, self.recipe)
        if self.recipe.optimizer == "pseudo-newton":
            self._newton(gradients, curvature(self.weights, trace, self.recipe), lr)
        else:
            self.update(gradients, lr)
        return loss

    def _newton(self, gradients: Weights, curvatures: Weights, lr: float) -> None:
        """Let sigma follow the curvature by a share of gamma, then one pseudo-Newton update."""
        for name in NAMES:
            old, h = self.sigma.get(name, 0.0), curvatures[name]
            self.sigma[name] = (1 - self.gamma) * old + self.gamma * h
            self.weights[name] -= lr * gradients[name] / (self.recipe.mu + self.sigma[name])

    def _drawn(self, x: Array) -> tuple[Array, Array | None]:
        """The batch shifted, and dropout's factors, as the recipe asks."""
        numbers = np.arange(self.presented, self.presented + len(x))
        self.presented += len(x)
        if self.recipe.shift:
            moves = chance.shifts(self.seed, numbers)
            x = np.stack([np.roll(one, move, (1, 2)) for one, move in zip(x, moves, strict=True)])
        if not self.recipe.dropout:
            return x, None
        keep = chance.kept(self.seed, numbers, self.recipe.dropout)
        return x, keep / (1.0 - self.recipe.dropout)

    def update(self, gradients: Weights, lr: float) -> None:
        """Plain SGD, or AdamW with decoupled weight decay."""
        self.steps += 1
        for name in NAMES:
            w, g = self.weights[name], gradients[name]
            if self.recipe.optimizer == "sgd":
                w -= lr * g
                continue
            m, v = self.moments.get(name, (np.zeros_like(w), np.zeros_like(w)))
            m = BETA1 * m + (1 - BETA1) * g
            v = BETA2 * v + (1 - BETA2) * g * g
            self.moments[name] = m, v
            w *= 1 - lr * self.recipe.weight_decay
            m_hat, v_hat = m / (1 - BETA1**self.steps), v / (1 - BETA2**self.steps)
            w -= lr * m_hat / (np.sqrt(v_hat) + EPSILON)

    def predict(self, x: npt.ArrayLike) -> Array:
        """Outputs (n, 10)."""
        return forward(self.weights, np.asarray(x, np.float64), self.recipe).out

    def params(self) -> Params:
        """The weights now, rounded to float32."""
        return Params(**{name: self.weights[name].astype(np.float32) for name in NAMES})
