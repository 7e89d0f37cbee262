"""mlx: Apple's array library in its own idiom, one compiled function a step.

mx.compile fuses what lies between the matrix products; arrays are lazy, so Python asks for many
steps and waits once. Images are channels last, as MLX's convolutions want them. Tried in one run on
a CPU: with and without mx.compile, which wins on few digits; its convolution, a product of the
taps, and a product of windows that are views, which wins on single digits and nearly on many; H2 by
blocks and as one convolution, which wins.
"""

from __future__ import annotations

import os
import shutil
from typing import Any, ClassVar, final

# Newer GPUs of Apple would round float32 products to 10 bits: MLX asks this when it is loaded.
os.environ.setdefault("MLX_ENABLE_TF32", "0")

import mlx.core as mx
import numpy as np
import numpy.typing as npt

from zipnet import paper, schemes
from zipnet.engines.base import Engine, Placed, as_steps, draws_nothing, first_order
from zipnet.params import Array, Params
from zipnet.recipe import Recipe
from zipnet.reference import BETA1, BETA2, EPSILON

Weights = dict[str, mx.array]
State = tuple[Weights, mx.array, Weights, Weights]  # weights, steps taken, AdamW's two memories


def _nonlinearity(name: str, a: mx.array) -> mx.array:
    if name == "tanh":
        return mx.tanh(a)
    if name == "scaled_tanh":
        return paper.AMPLITUDE * mx.tanh(paper.STEEPNESS * a)
    return mx.maximum(a, 0) if name == "relu" else a


def _conv(planes: mx.array, w: mx.array, by_windows: bool) -> mx.array:
    """5x5, stride 2, in a border of background: (n, s, s, c), (o, c, 5, 5) -> (n, s/2, s/2, o)."""
    border = [(0, 0), (2, 2), (2, 2), (0, 0)]
    padded = mx.pad(planes, border, constant_values=paper.BACKGROUND)
    if not by_windows:
        return mx.conv2d(padded, w.transpose(0, 2, 3, 1), stride=2)
    n, side, _, c = padded.shape
    end = (side - 4) // 2
    strides = (side * side * c, 2 * side * c, 2 * c, side * c, 1)
    windows = mx.as_strided(mx.contiguous(padded), (n, end, end, 5, 5 * c), strides)
    kernel = w.transpose(2, 3, 1, 0).reshape(25 * c, -1)
    return windows.reshape(n, end, end, 25 * c) @ kernel


def _forward(w: Weights, x: mx.array, recipe: Recipe, by_windows: bool) -> mx.array:
    """(n, 16, 16, 1) -> (n, 10), as zipnet.net.Net, with H2w over all planes of H1, masked."""
    hidden = recipe.activation
    h1 = _conv(x, w["H1w"], by_windows) + w["H1b"].transpose(1, 2, 0)  # (n, 8, 8, 12)
    h1 = _nonlinearity(hidden, h1)
    h2w = w["H2w"] * mx.array(schemes.mask(recipe.scheme, recipe.width))  # (12, 12, 5, 5)
    h2 = _conv(h1, h2w, by_windows) + w["H2b"].transpose(1, 2, 0)
    h2 = _nonlinearity(hidden, h2).transpose(0, 3, 1, 2)  # (n, 12, 4, 4), the order of H3w's rows
    h3 = _nonlinearity(hidden, h2.reshape(len(x), -1) @ w["H3w"] + w["H3b"])  # (n, 30)
    return _nonlinearity(recipe.output, h3 @ w["outw"] + w["outb"])  # (n, 10)


def _loss(w: Weights, x: mx.array, y: mx.array, recipe: Recipe, by_windows: bool) -> mx.array:
    out = _forward(w, x, recipe, by_windows)
    if recipe.loss == "mse":
        return mx.mean((y - out) ** 2)
    log_softmax = out - mx.logsumexp(out, axis=1, keepdims=True)
    return -mx.mean(mx.sum(mx.where(y > 0, log_softmax, 0.0), axis=1))


@final
class Mlx(Engine):
    """Steps are functions from one state to the next: what a run has read, nothing overwrites."""

    name: ClassVar[str] = "mlx"
    limits_threads: ClassVar[bool] = False  # its CPU back end is told no number of threads
    folders: ClassVar[tuple[str, ...]] = ("TMPDIR",)

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        super().__init__(recipe, device, threads)
        self._device = mx.Device(mx.cpu if device == "cpu" else mx.gpu)
        self._step = mx.compile(self._take_step)
        self._by_windows = device == "cpu"
        self._answer = mx.compile(lambda w, x: _forward(w, x, recipe, self._by_windows))

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """MLX runs on the CPU and on Apple's GPU."""
        if device not in ("cpu", "mps"):
            return "the mlx engine is made for the CPU and for Apple's GPU (mps)"
        if device == "mps" and not mx.metal.is_available():
            return "this mlx finds no Metal, Apple's interface to its GPU"
        if device == "cpu" and not shutil.which("g++"):
            return "mx.compile on the CPU needs a C++ compiler on the path, named g++"
        return draws_nothing(recipe) or first_order(recipe)

    def _take_step(
        self, state: State, x: mx.array, y: mx.array, lr: mx.array
    ) -> tuple[State, mx.array]:
        about = (self.recipe, self._by_windows)
        loss, gradients = mx.value_and_grad(_loss)(state[0], x, y, *about)
        return self._update(state, gradients, lr), loss

    def _update(self, state: State, gradients: Weights, lr: mx.array) -> State:
        """reference.Reference.update in float32."""
        weights, steps, means, squares = state
        steps = steps + 1
        if self.recipe.optimizer == "sgd":
            moved = {name: w - lr * gradients[name] for name, w in weights.items()}
            return moved, steps, means, squares
        moved, new_means, new_squares = {}, {}, {}
        size, scale = lr / (1 - BETA1**steps), mx.sqrt(1 - BETA2**steps)
        decay = 1 - lr * self.recipe.weight_decay
        for name, w in weights.items():
            gradient = gradients[name]
            mean = BETA1 * means[name] + (1 - BETA1) * gradient
            square = BETA2 * squares[name] + (1 - BETA2) * gradient * gradient
            moved[name] = w * decay - size * mean / (mx.sqrt(square) / scale + EPSILON)
            new_means[name], new_squares[name] = mean, square
        return moved, steps, new_means, new_squares

    def load(self, params: Params, seed: int = 0) -> None:  # noqa: ARG002 - draws nothing
        """Copy parameters in; see Engine.load."""
        adamw = self.recipe.optimizer == "adamw"
        with mx.stream(self._device):
            weights = {name: mx.array(array) for name, array in params.items()}
            weights["H2w"] = mx.array(schemes.spread(params.H2w, self.recipe.scheme))
            means = {name: mx.zeros_like(w) for name, w in weights.items()} if adamw else {}
            squares = {name: mx.zeros_like(w) for name, w in weights.items()} if adamw else {}
            self._state: State = (weights, mx.array(0.0), means, squares)
            mx.eval(self._state)

    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits, channels last; see Engine.place.

        MLX's arrays lie in memory that CPU and GPU share: what has a device is the work.
        """
        steps_x, steps_y = as_steps(x, y, batch)
        with mx.stream(self._device):
            placed_x = mx.array(steps_x.reshape(len(steps_x), batch, *x.shape[2:], 1))
            placed_y = mx.array(steps_y)
            mx.eval(placed_x, placed_y)
            device = "cpu" if mx.default_device() == mx.cpu else "mps:0"
        return Placed(placed_x, placed_y, len(steps_x), batch, device)

    def prepare(self, placed: Placed) -> None:
        """Compile for this batch: a step is a function, and what it returns is dropped."""
        with mx.stream(self._device):
            mx.eval(self._step(self._state, placed.x[0], placed.y[0], mx.array(self.lr)))

    def run(self, placed: Placed) -> mx.array:
        """Step after step, each begun while Python asks for the next; see Engine.run."""
        with mx.stream(self._device):
            lr, state, losses = mx.array(self.lr), self._state, []
            for k in range(placed.steps):
                state, loss = self._step(state, placed.x[k], placed.y[k], lr)
                mx.async_eval(state, loss)
                losses.append(loss)
            self._state, stacked = state, mx.stack(losses)
            mx.async_eval(stacked)
        return stacked

    def predict(self, placed: Placed) -> mx.array:
        """All digits in one batch; see Engine.predict."""
        with mx.stream(self._device):
            answer: mx.array = self._answer(self._state[0], placed.x.flatten(0, 1))
            mx.async_eval(answer)
        return answer

    def sync(self) -> None:
        """Wait for what the device was asked to do."""
        mx.synchronize(self._device)

    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """Copy out; see Engine.numpy."""
        return np.array(array, np.float32)

    def params(self) -> Params:
        """Copy the parameters out; see Engine.params."""
        arrays = {name: np.array(w) for name, w in self._state[0].items()}
        arrays["H2w"] = schemes.gathered(arrays["H2w"], self.recipe.scheme)
        return Params.from_mapping(arrays)
