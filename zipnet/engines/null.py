"""null: an engine that does nothing, so that what the harness itself costs can be measured.

It keeps no law and is in no registry; the benchmark of the floor asks for it by its class.
"""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from zipnet.engines.base import Engine, Placed, as_steps
from zipnet.params import Array, Params
from zipnet.recipe import Recipe


@final
class Null(Engine):
    """The contract's calls, empty."""

    name: ClassVar[str] = "null"

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:  # noqa: ARG003 - any recipe
        """It does nothing, on the CPU."""
        return None if device == "cpu" else "the null engine does nothing on the CPU only"

    def load(self, params: Params, seed: int = 0) -> None:  # noqa: ARG002 - the contract's
        """Keep a copy, to give back."""
        self._params = params.copy()

    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """The digits as they are."""
        steps_x, steps_y = as_steps(x, y, batch)
        return Placed(steps_x, steps_y, len(steps_x), batch, "cpu")

    def prepare(self, placed: Placed) -> None:
        """Nothing to prepare."""

    def run(self, placed: Placed) -> None:
        """No steps."""

    def predict(self, placed: Placed) -> None:
        """No outputs."""

    def sync(self) -> None:
        """Nothing was asked for."""

    def numpy(self, array: Any) -> npt.NDArray[np.float32]:  # noqa: ARG002 - the contract's
        """No numbers."""
        return np.empty(0, np.float32)

    def params(self) -> Params:
        """What was loaded."""
        return self._params.copy()
