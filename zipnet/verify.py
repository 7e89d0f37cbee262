"""Holding an engine against the float64 reference, and the tolerances, in one table.

Everything that trusts an engine comes through here: the laws in tests/, and the harness before
it lets the clock start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from zipnet.engines.base import Engine, Placed, as_steps
from zipnet.errors import UserError
from zipnet.params import Array, Params
from zipnet.recipe import Recipe
from zipnet.reference import Reference
from zipnet.widened import follow, widen


class Strayed(UserError):
    """The engine does not follow the reference; str() names the tensor and the distance."""


@dataclass(frozen=True)
class Tolerance:
    """Largest distance from the reference after some tens of steps, and why it is so large.

    losses: relative to the loss where that is above 1. params: absolute.
    """

    losses: float
    params: float
    reason: str


TOLERANCES: Final = {
    "float32": Tolerance(
        losses=2e-5,
        params=2e-5,
        reason="a sum of 200 products in float32 is off by up to 200 x 6e-8; tens of steps at "
        "learning rate 0.03 add such errors without amplifying them; sums in a network k times as "
        "wide are k times as long, of weights as much smaller, and its rate is 0.03 / k",
    ),
}
WIDEST: Final = 8  # that is followed in float64; a wider network is one of width 1, widened


@dataclass(frozen=True)
class Trajectory:
    """Some digits, in steps, and what the reference makes of them from given parameters."""

    start: Params
    x: Array  # (n, 1, 16, 16)
    y: Array  # (n, 10)
    batch: int
    losses: npt.NDArray[np.float64]  # (steps,)
    end: Params


@dataclass(frozen=True)
class Deviation:
    """How far an engine was from the reference, and how far it may be."""

    steps: int
    loss_distance: float
    param_distance: float
    tolerance: float


def trajectory(start: Params, recipe: Recipe, x: Array, y: Array, batch: int) -> Trajectory:
    """Follow the reference through digits x (n, 1, 16, 16) and y (n, 10), `batch` to a step."""
    reference = Reference.start(start, recipe)
    steps = zip(*as_steps(x, y, batch), strict=True)
    losses = np.array([reference.step(xs, ys, recipe.lr) for xs, ys in steps])
    return Trajectory(start, x, y, batch, losses, reference.params())


def fresh_trajectory(recipe: Recipe, seed: int, x: Array, y: Array, batch: int) -> Trajectory:
    """By which an engine of any width is verified: from a seed's parameters, or such ones widened.

    Raises UserError where a widened network's steps are not known.
    """
    if recipe.width <= WIDEST:
        return trajectory(Params.init(seed, recipe), recipe, x, y, batch)
    start = Params.init(seed, replace(recipe, width=1))
    losses, end = follow(start, recipe, zip(*as_steps(x, y, batch), strict=True))
    return Trajectory(widen(start, recipe.width), x, y, batch, losses, widen(end, recipe.width))


def verify(engine: Engine, path: Trajectory, dtype: str = "float32") -> Deviation:
    """Take the same steps with the engine and compare; leaves it loaded with path.start.

    Raises Strayed with the tensor and the distance where the engine leaves the path.
    """
    engine.load(path.start)
    placed = engine.place(path.x, path.y, path.batch)
    losses = engine.numpy(engine.run(placed))
    end = engine.params()
    engine.load(path.start)

    allowed = TOLERANCES[dtype]
    loss_distance = _within(allowed.losses, engine, placed, "losses", losses, path.losses)
    name, param_distance = end.distance(path.end)
    _require(allowed.params, engine, placed, name, param_distance)
    return Deviation(placed.steps, loss_distance, param_distance, allowed.params)


def verify_outputs(
    engine: Engine, placed: Placed, expected: npt.NDArray[np.float64], dtype: str = "float32"
) -> Deviation:
    """Hold the engine's predictions on placed digits against the reference's, (n, 10)."""
    outputs = engine.numpy(engine.predict(placed))
    limit = TOLERANCES[dtype].losses
    distance = _within(limit, engine, placed, "outputs", outputs, expected)
    return Deviation(0, distance, 0.0, limit)


def _within(
    limit: float, engine: Engine, placed: Placed, what: str, found: Array, expected: npt.ArrayLike
) -> float:
    """Largest distance, relative to values above 1; raises Strayed above the limit."""
    expected = np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        raise Strayed(f"engine {engine.name}: {what} {found.shape}, expected {expected.shape}")
    distance = float(np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected))))
    _require(limit, engine, placed, what, distance)
    return distance


def _require(limit: float, engine: Engine, placed: Placed, what: str, distance: float) -> None:
    if not distance <= limit:  # written so that NaN strays
        raise Strayed(
            f"engine {engine.name} on {placed.device}, batch {placed.batch}: {what} "
            f"{distance:.2e} from the reference after {placed.steps} steps, "
            f"allowed {limit:.0e}; its results cannot be used"
        )
