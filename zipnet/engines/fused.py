"""fused: the whole loop of steps in one compiled CPU function, written in Python with numba.

What dispatch costs the other engines is gone here: weights and activations stay in registers and
first-level cache, and Python is asked once for any number of steps. zipnet/fused derives how.
"""

from __future__ import annotations

import copy
import threading
from dataclasses import replace
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from zipnet.cpu import cores
from zipnet.engines.base import Engine, ManyAtOnce, Placed, as_steps, narrow
from zipnet.errors import note
from zipnet.fused import layout, steps
from zipnet.fused.batch import CHUNK
from zipnet.fused.choices import Choices
from zipnet.params import Array, Params
from zipnet.recipe import Recipe

_PATIENCE = 1.5  # seconds of compiling after which a person is told; a warm cache needs less


@final
class Fused(Engine):
    """The contract's calls on zipnet.fused; arrays are NumPy's, and run() returns when done."""

    name: ClassVar[str] = "fused"
    many_at_once: ClassVar[ManyAtOnce | None] = "threads"
    serial_digits: ClassVar[int] = CHUNK

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        super().__init__(recipe, device, threads)
        self._choices = Choices(
            activation=recipe.activation,
            output=recipe.output,
            loss=recipe.loss,
            optimizer=recipe.optimizer,
            dropout=recipe.dropout,
            shift=recipe.shift,
            mu=recipe.mu,
            scheme=recipe.scheme,
        )

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """It runs every recipe of the network of 1989, on the CPU."""
        if device != "cpu":
            return "the fused engine is made for the CPU"
        return narrow(recipe)

    def load(self, params: Params, seed: int = 0) -> None:
        """Copy parameters into the kernel's layout; see Engine.load."""
        self._state = layout.pack(params, seed, self.recipe.scheme)

    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits; see Engine.place."""
        steps_x, steps_y = as_steps(x, y, batch)
        return Placed(steps_x.copy(), steps_y.copy(), len(steps_x), batch, "cpu")

    def prepare(self, placed: Placed) -> None:
        """Compile, or load from the cache, by taking one step with a copy of the state."""
        state = self._state
        news = "compiling the fused kernel, once for this machine and version ..."
        patience = threading.Timer(_PATIENCE, note, [news])
        patience.daemon = True
        patience.start()
        try:
            self._state = replace(
                state,
                weights=state.weights.copy(),
                first=state.first.copy(),
                second=state.second.copy(),
            )
            self._take(placed.x[:1], placed.y[:1])
            self._answer(placed.x[0, :1])
        finally:
            patience.cancel()
            self._state = state

    def run(self, placed: Placed) -> Array:
        """All steps in one call; see Engine.run."""
        return self._take(placed.x, placed.y)

    def _take(self, x: Array, y: Array) -> Array:
        decay = self.recipe.weight_decay
        return steps.run(self._state, x, y, self.lr, self._choices, decay, self.threads, self.gamma)

    def predict(self, placed: Placed) -> Array:
        """All digits in one call, on all threads; see Engine.predict."""
        return self._answer(placed.x.reshape(-1, *placed.x.shape[2:]))

    def _answer(self, x: Array) -> Array:
        return steps.predict(self._state, x, self._choices, self.threads)

    def twin(self) -> Fused | None:
        """A copy of the weights, asked on one thread, where a core is free; see Engine.twin."""
        if cores() < 2:
            return None
        twin = copy.copy(self)
        twin._state = replace(self._state, weights=self._state.weights.copy())
        twin.threads = 1
        return twin

    def sync(self) -> None:
        """Nothing is ever pending."""

    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """A copy; see Engine.numpy."""
        return np.array(array, np.float32)

    def params(self) -> Params:
        """Copy the parameters out; see Engine.params."""
        return Params.from_mapping(layout.unpack(self._state.weights, self.recipe.scheme))
