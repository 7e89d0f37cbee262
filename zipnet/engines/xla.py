"""xla: JAX's jit of lax.scan, the fastest way of training this network that comes off the shelf.

The loop over steps is part of the program, so Python asks once for as many steps as there are.
XLA runs each operation of a step as a kernel of its own, and that is what remains to pay. Tried in
one run on a CPU: its convolution, which is slow in a loop there, and a product of the taps, which
wins; H2 by blocks and as one convolution, which wins; a single step with and without the loop,
which makes no difference once nothing convolves.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar, Final, final

# JAX would take most of a GPU's memory when it first looks at it, from engines that come after.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import lax

from zipnet import paper, schemes
from zipnet.engines.base import Engine, Placed, as_steps, draws_nothing, first_order
from zipnet.params import Array, Params
from zipnet.recipe import Recipe
from zipnet.reference import BETA1, BETA2, EPSILON

Weights = dict[str, jax.Array]
_PLATFORMS = {"cpu": "cpu", "cuda": "cuda", "mps": "METAL", "xpu": "xpu"}
# On a GPU XLA chooses among convolutions by timing them, anew for each shape, and some of them sum
# with atomics: two halves would not be the whole, nor a run itself again. The options rule out both
# (https://openxla.org/xla/determinism). They go with each program: XLA_FLAGS count only before JAX
# starts, and one that is not known there ends the process.
REPEATABLE: Final = {"xla_gpu_exclude_nondeterministic_ops": True, "xla_gpu_autotune_level": 0}
_DEVICES = {"cpu": "cpu", "gpu": "cuda:0", "METAL": "mps:0"}  # what JAX calls a platform, in torch


def _nonlinearity(name: str, a: jax.Array) -> jax.Array:
    if name == "tanh":
        return jnp.tanh(a)
    if name == "scaled_tanh":
        return paper.AMPLITUDE * jnp.tanh(paper.STEEPNESS * a)
    return jax.nn.relu(a) if name == "relu" else a


def _conv(planes: jax.Array, w: jax.Array, by_taps: bool) -> jax.Array:
    """5x5, stride 2, in a border of background: (n, c, s, s) -> (n, o, s / 2, s / 2)."""
    border = ((0, 0), (0, 0), (2, 2), (2, 2))
    padded = jnp.pad(planes, border, constant_values=paper.BACKGROUND)
    if by_taps:
        end = planes.shape[-1]
        rows = [padded[:, :, ky : ky + end : 2] for ky in range(5)]
        taps = jnp.stack([row[..., kx : kx + end : 2] for row in rows for kx in range(5)], axis=2)
        kernel = w.reshape(*w.shape[:2], 25)
        return jnp.einsum("nckyx,ock->noyx", taps, kernel, precision=lax.Precision.HIGHEST)
    out: jax.Array = lax.conv_general_dilated(
        padded, w, (2, 2), "VALID", precision=lax.Precision.HIGHEST
    )
    return out


def _forward(w: Weights, x: jax.Array, recipe: Recipe, by_taps: bool) -> jax.Array:
    """(n, 1, 16, 16) -> (n, 10), as zipnet.net.Net, with H2w over all planes of H1.

    Where it is masked, so is its gradient. An index instead would have a scatter for one, XLA's
    slowest operation where it must repeat.
    """
    hidden = recipe.activation
    h1 = _nonlinearity(hidden, _conv(x, w["H1w"], by_taps) + w["H1b"])  # (n, 12, 8, 8)
    h2w = w["H2w"] * schemes.mask(recipe.scheme, recipe.width)  # (12, 12, 5, 5)
    h2 = _conv(h1, h2w, by_taps) + w["H2b"]  # (n, 12, 4, 4)
    h2 = _nonlinearity(hidden, h2)
    with jax.default_matmul_precision("highest"):
        h3 = _nonlinearity(hidden, h2.reshape(len(x), -1) @ w["H3w"] + w["H3b"])  # (n, 30)
        return _nonlinearity(recipe.output, h3 @ w["outw"] + w["outb"])  # (n, 10)


def _loss(w: Weights, x: jax.Array, y: jax.Array, recipe: Recipe, by_taps: bool) -> jax.Array:
    out = _forward(w, x, recipe, by_taps)
    if recipe.loss == "mse":
        return jnp.mean((y - out) ** 2)
    return -jnp.mean(jnp.sum(jnp.where(y > 0, jax.nn.log_softmax(out), 0.0), axis=1))


@final
class Xla(Engine):
    """All steps of a run in one XLA program."""

    name: ClassVar[str] = "xla"
    limits_threads: ClassVar[bool] = False  # XLA's pool is made once, as large as the machine

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        super().__init__(recipe, device, threads)
        self._device = jax.devices(_PLATFORMS[device])[0]
        self._pending: jax.Array | None = None
        kind = device.partition(":")[0]
        options = REPEATABLE if kind == "cuda" else None
        self._by_taps = kind == "cpu"
        self._scan = jax.jit(self._take_steps, compiler_options=options)
        self._answer = jax.jit(self._outputs, compiler_options=options)

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """JAX runs what its installed back ends reach."""
        try:
            jax.devices(_PLATFORMS.get(device, device))
        except RuntimeError:
            return f"this jax has no back end for {device}"
        return draws_nothing(recipe) or first_order(recipe)

    def _outputs(self, w: Weights, x: jax.Array) -> jax.Array:
        return _forward(w, x, self.recipe, self._by_taps)

    def _take_steps(
        self, state: tuple[Any, ...], x: jax.Array, y: jax.Array, lr: jax.Array
    ) -> tuple[tuple[Any, ...], jax.Array]:
        def step(state: Any, batch: Any) -> Any:
            about = (self.recipe, self._by_taps)
            loss, gradients = jax.value_and_grad(_loss)(state[0], *batch, *about)
            return self._update(state, gradients, lr), loss

        end, losses = lax.scan(step, state, (x, y))
        return end, losses

    def _update(self, state: Any, gradients: Weights, lr: jax.Array) -> Any:
        """reference.Reference.update in float32."""
        w, steps, mean, square = state
        steps = steps + 1
        if self.recipe.optimizer == "sgd":
            return jax.tree.map(lambda p, g: p - lr * g, w, gradients), steps, mean, square
        mean = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, mean, gradients)
        square = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, square, gradients)
        size, scale = lr / (1 - BETA1**steps), jnp.sqrt(1 - BETA2**steps)
        decay = 1 - lr * self.recipe.weight_decay
        w = jax.tree.map(
            lambda p, m, v: p * decay - size * m / (jnp.sqrt(v) / scale + EPSILON), w, mean, square
        )
        return w, steps, mean, square

    def load(self, params: Params, seed: int = 0) -> None:  # noqa: ARG002 - draws nothing
        """Copy parameters in; see Engine.load."""
        arrays = dict(params.items())
        arrays["H2w"] = schemes.spread(params.H2w, self.recipe.scheme)
        w = {name: self._put(array.copy()) for name, array in arrays.items()}
        empty = jax.tree.map(jnp.zeros_like, w) if self.recipe.optimizer == "adamw" else {}
        self._state: tuple[Any, ...] = (w, self._put(np.float32(0)), empty, empty)

    def _put(self, array: Any) -> jax.Array:
        placed: jax.Array = jax.device_put(array, self._device)
        return placed

    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits to the device; see Engine.place."""
        steps_x, steps_y = as_steps(x, y, batch)
        placed_x, placed_y = self._put(steps_x.copy()), self._put(steps_y.copy())
        platform = next(iter(placed_x.devices())).platform
        device = _DEVICES.get(platform, platform)
        return Placed(placed_x, placed_y, len(steps_x), batch, device)

    def prepare(self, placed: Placed) -> None:
        """Compile for this shape: the program is a function, and what it returns is dropped."""
        self._scan(self._state, placed.x, placed.y, np.float32(self.lr))[1].block_until_ready()

    def run(self, placed: Placed) -> jax.Array:
        """All steps in one call; see Engine.run."""
        losses: jax.Array
        self._state, losses = self._scan(self._state, placed.x, placed.y, np.float32(self.lr))
        return losses

    def predict(self, placed: Placed) -> jax.Array:
        """All digits in one batch; see Engine.predict."""
        x = placed.x.reshape(-1, *placed.x.shape[2:])
        answer: jax.Array = self._answer(self._state[0], x)
        self._pending = answer
        return answer

    def sync(self) -> None:
        """Wait for the parameters and for the last answer."""
        for array in jax.tree.leaves((self._state, self._pending)):
            array.block_until_ready()

    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """Copy out; see Engine.numpy."""
        return np.array(array, np.float32)

    def params(self) -> Params:
        """Copy the parameters out; see Engine.params."""
        arrays = {name: np.asarray(w) for name, w in self._state[0].items()}
        arrays["H2w"] = schemes.gathered(arrays["H2w"], self.recipe.scheme)
        return Params.from_mapping(arrays)
