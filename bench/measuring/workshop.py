"""Engines made ready for the clock, once a session: constructed, prepared, verified, loaded.

Compiling and following the float64 reference through a full batch take seconds each; several
questions ask for the same engine, so what was made is kept.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle

import msgspec
import numpy as np
import numpy.typing as npt

from bench.measuring.settings import Setting
from zipnet import engines
from zipnet.data import Digits
from zipnet.engines import Engine, Placed
from zipnet.evaluation import targets
from zipnet.params import Params
from zipnet.recipe import Recipe
from zipnet.reference import Reference
from zipnet.results.schema import Verified
from zipnet.verify import Deviation, Trajectory, fresh_trajectory, verify, verify_outputs

SEED = 0
VERIFY_DIGITS = 32  # per-example steps followed before the clock starts
CYCLE_DIGITS = 256  # single digits shown in turn, so that no step is repeated on one digit


@dataclass(frozen=True)
class Ready:
    """An engine that may be timed, what its verification found, and where its training starts."""

    engine: Engine
    verified: Verified
    start: Params

    def enter(self) -> None:
        """Claim the engine's process-wide settings and load fresh weights, before every lap."""
        self.engine.claim()
        self.engine.load(self.start)


class Workshop:
    """Makes engines ready and places digits for them."""

    def __init__(self, recipe: Recipe, digits: Digits) -> None:
        self.recipe = recipe
        self.digits = digits
        self._ready: dict[tuple[Setting, int, int], Ready] = {}

    def ready(self, setting: Setting, batch: int, width: int = 1) -> Ready:
        """The engine for steps of `batch` digits, its settings claimed, freshly loaded.

        Raises Strayed where it does not follow the reference, Unavailable where it cannot run.
        """
        if (setting, batch, width) not in self._ready:
            recipe, place = replace(self.recipe.at_width(width), batch=batch), setting.place
            start = self._start(width)
            engine = engines.make(setting.engine, recipe, place.device, place.threads)
            engine.claim()
            engine.load(start)
            engine.prepare(self.placed(engine, batch, batch))
            verified = facts(verify(engine, self._path(batch, width)))
            self._ready[setting, batch, width] = Ready(engine, verified, start)
        ready = self._ready[setting, batch, width]
        ready.enter()
        return ready

    def placed(self, engine: Engine, digits: int, batch: int) -> Placed:
        """The first training digits, on the engine's device."""
        x, y = self.digits.x_train[:digits], targets(self.digits.y_train[:digits])
        return engine.place(x, y, batch)

    def one_by_one(self, engine: Engine) -> Iterator[Placed]:
        """Single training digits in turn, without end, placed beforehand."""
        x, y = self.digits.x_train, targets(self.digits.y_train)
        return cycle([engine.place(x[i : i + 1], y[i : i + 1], 1) for i in range(CYCLE_DIGITS)])

    def placed_test(self, engine: Engine) -> Placed:
        """All test digits, for inference."""
        return engine.place(self.digits.x_test, targets(self.digits.y_test), 1)

    def verify_test_outputs(self, engine: Engine, placed: Placed) -> Verified:
        """Hold predictions on all test digits against the reference."""
        return facts(verify_outputs(engine, placed, self._test_outputs))

    @functools.cached_property
    def _test_outputs(self) -> npt.NDArray[np.float64]:
        return Reference.start(self._start(1), self.recipe).predict(self.digits.x_test)

    @functools.cache  # noqa: B019 - a workshop lives as long as the session
    def _start(self, width: int) -> Params:
        return Params.init(SEED, self.recipe.at_width(width))

    @functools.cache  # noqa: B019 - likewise
    def _path(self, batch: int, width: int) -> Trajectory:
        digits = VERIFY_DIGITS if batch == 1 else batch  # a large batch: one step says enough
        x, y = self.digits.x_train[:digits], targets(self.digits.y_train[:digits])
        return fresh_trajectory(self.recipe.at_width(width), SEED, x, y, batch)


def facts(found: Deviation) -> Verified:
    """What a row says of a verification."""
    return msgspec.convert(found, Verified, from_attributes=True)
