"""Engine: the contract of everything that can execute SGD steps on the network.

One call of run() means n steps, in order, over data already placed on the device, starting from
the weights that the last step left. The mathematics is zipnet/reference.py for everybody; how
much of it is fused is each engine's own affair. The laws are tests/test_engine_laws.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from zipnet import paper
from zipnet.cpu import cores
from zipnet.errors import UserError
from zipnet.params import Array, Params
from zipnet.recipe import Recipe

ManyAtOnce = Literal["threads", "launch"]
"""How an engine trains many networks at once: an engine of its own on each of several threads,
because its compiled code lets go of Python's lock; or all in one launch (Many)."""


class Unavailable(UserError):
    """The engine cannot run this recipe on this device here; str() is the reason."""


@dataclass(frozen=True)
class Placed:
    """Digits where an engine wants them. x and y are opaque to everyone else.

    x: (steps, batch, 1, 16, 16) float32 in [-1, 1]. y: (steps, batch, 10) float32 of +-1.
    device: read back from the arrays, never the one that was asked for.
    """

    x: Any
    y: Any
    steps: int
    batch: int
    device: str

    @property
    def presentations(self) -> int:
        """Digits in it."""
        return self.steps * self.batch


class Engine(ABC):
    """One way to execute steps. Construct, load(), place(), prepare(), then run() and sync().

    lr: learning rate of the steps to come; set it between runs for a schedule.
    gamma: share of each step's curvature in pseudo-Newton's sigma; likewise. Steps at gamma 1 and
        learning rate 0 measure sigma on their batch and learn nothing else.
    threads: CPU threads allowed, None for the library's own choice.
    """

    name: ClassVar[str]
    limits_threads: ClassVar[bool] = True  # False: it always uses every core of the CPU
    predicts_its_own_way: ClassVar[bool] = True  # False: predict() is another engine's, borrowed
    many_at_once: ClassVar[ManyAtOnce | None] = None  # None: they would only wait for each other
    folders: ClassVar[tuple[str, ...]] = ()  # variables that name where it compiles, if it does
    serial_digits: ClassVar[int] = 0  # a step on so many takes one thread, however many there are

    @classmethod
    @abstractmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """None where it can run the recipe on the device here; otherwise why not, for a person."""

    @classmethod
    def at_once(cls, recipe: Recipe, device: str, threads: int | None) -> int:  # noqa: ARG003
        """How many networks of a recipe it trains side by side; on the CPU one a thread."""
        return threads or cores()

    @classmethod
    def many(cls, recipe: Recipe, device: str) -> Many:
        """Many networks in one launch, of an engine whose many_at_once is "launch"."""
        raise NotImplementedError(f"engine {cls.name} trains one network at a time on {device}")

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        self.recipe = recipe
        self.device = device
        self.threads = threads
        self.lr = recipe.lr
        self.gamma = recipe.gamma

    def claim(self) -> None:  # noqa: B027 - most engines have nothing to claim
        """Make this engine's process-wide settings (threads, precision) the current ones.

        Call it before a block of runs where several engines share the process.
        """

    @abstractmethod
    def load(self, params: Params, seed: int = 0) -> None:
        """Start from a copy of params, with no steps taken and the optimizer's memory empty.

        seed: of the shifts and of dropout, where the recipe has them (zipnet/chance.py).
        """

    @abstractmethod
    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits to the device, x (n, 1, 16, 16) and y (n, 10), in steps of `batch`.

        Raises UserError where batch does not divide n or a value is not finite.
        """

    @abstractmethod
    def prepare(self, placed: Placed) -> None:
        """Compile, capture, warm for run() of this shape; leaves the parameters bit-identical."""

    @abstractmethod
    def run(self, placed: Placed) -> Any:
        """Take the steps; returns their losses, (steps,) float32 on the device.

        The loss of a step is that of its batch before its update. May return before it is done, and
        write the losses of the next run of the same digits where these are.
        """

    @abstractmethod
    def predict(self, placed: Placed) -> Any:
        """Outputs (presentations, 10) float32 on the device; as run(), in both."""

    def twin(self) -> Engine | None:
        """An engine that predicts from today's parameters while this one goes on learning.

        None where the two could not run beside each other.
        """
        return None

    @abstractmethod
    def sync(self) -> None:
        """Return when everything asked for has finished."""

    @abstractmethod
    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """Copy losses or outputs out, waiting for them first."""

    @abstractmethod
    def params(self) -> Params:
        """Copy the parameters out, waiting for them first."""


class Many(ABC):
    """Networks of one recipe that learn side by side from the same digits, in the same launches.

    Engine's calls with a leading axis of networks. Each network ends bit for bit where it would
    have ended alone. rates: the learning rate of each in the steps to come.
    """

    rates: Sequence[float]

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    @abstractmethod
    def load(self, networks: Sequence[Params]) -> None:
        """Start from copies, with no steps taken and every rate the recipe's."""

    @abstractmethod
    def place(self, x: Array, y: Array, batch: int) -> Placed:
        """Copy digits to the device; see Engine.place."""

    @abstractmethod
    def prepare(self, placed: Placed) -> None:
        """Compile for run() of this shape; leaves the parameters bit-identical."""

    @abstractmethod
    def run(self, placed: Placed) -> Any:
        """Every network takes the steps; returns the losses, (networks, steps) on the device."""

    @abstractmethod
    def predict(self, placed: Placed) -> Any:
        """Outputs (networks, presentations, 10) float32 on the device."""

    @abstractmethod
    def sync(self) -> None:
        """Return when everything asked for has finished."""

    @abstractmethod
    def numpy(self, array: Any) -> npt.NDArray[np.float32]:
        """Copy losses or outputs out, waiting for them first."""

    @abstractmethod
    def params(self) -> list[Params]:
        """Copy the networks out, waiting for them first."""


def as_steps(x: Array, y: Array, batch: int) -> tuple[Array, Array]:
    """Check digits and give them their leading steps axis; what every place() begins with.

    Returns x (steps, batch, 1, 16, 16) and y (steps, batch, 10), float32 and C-contiguous, views
    of the caller's arrays where those fit already.
    """
    image = (1, paper.IMAGE_SIDE, paper.IMAGE_SIDE)
    if x.ndim != 4 or x.shape[1:] != image or y.shape != (len(x), paper.CLASSES):
        raise UserError(
            f"digits have shapes {x.shape} and {y.shape}; expected (n, 1, 16, 16) and (n, 10)"
        )
    if batch < 1 or len(x) == 0 or len(x) % batch:
        raise UserError(f"batch is {batch} for {len(x)} digits; give one that divides them")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UserError("digits hold NaN or infinity; every pixel and target must be finite")
    x, y = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32)
    return x.reshape(-1, batch, *image), y.reshape(-1, batch, paper.CLASSES)


def draws_nothing(recipe: Recipe) -> str | None:
    """The reason of engines without random numbers against a recipe that needs them."""
    if recipe.draws:
        return f"recipe {recipe.name} shifts or drops at random, which it does not"
    return None


def by_blocks(recipe: Recipe) -> str | None:
    """The reason of engines made for one scheme against a recipe of another."""
    if recipe.scheme != "blocks":
        return (
            f"recipe {recipe.name} has scheme {recipe.scheme}; it is written for the blocks of 2022"
        )
    return None


def narrow(recipe: Recipe) -> str | None:
    """The reason of engines whose kernels know the shapes of 1989 against a wider recipe."""
    if recipe.width > 1:
        return f"it is written for width 1, and recipe {recipe.name} has width {recipe.width}"
    return None


def first_order(recipe: Recipe) -> str | None:
    """The reason of engines without second derivatives against a recipe that needs them."""
    if recipe.optimizer == "pseudo-newton":
        return f"recipe {recipe.name} needs second derivatives, which it does not take"
    return None
