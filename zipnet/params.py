"""Params: the eight named float32 arrays that are the whole network.

Names and shapes are Karpathy's (lecun1989-repro/repro.py), so that a state_dict of his loads. There
are two ways to start: Params.init(seed), and the one start of 2022.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from zipnet.atomic import replacing
from zipnet.errors import UserError, shown
from zipnet.recipe import KARPATHY_1989, Recipe

Array = npt.NDArray[np.float32]

FAN_INS: Final = {"H1w": 25, "H2w": 200, "H3w": 192, "outw": 30}  # of a unit, at width 1


def shapes(width: int = 1) -> dict[str, tuple[int, ...]]:
    """The shape of each array in a network so many times as wide as that of 1989."""
    k = width
    return {
        "H1w": (12 * k, 1, 5, 5),
        "H1b": (12 * k, 8, 8),
        "H2w": (12 * k, 8 * k, 5, 5),
        "H2b": (12 * k, 4, 4),
        "H3w": (192 * k, 30 * k),
        "H3b": (30 * k,),
        "outw": (30 * k, 10),
        "outb": (10,),
    }


SHAPES: Final = shapes()
NAMES: Final = tuple(SHAPES)


@dataclass(frozen=True, eq=False)
class Params:
    """The network's free parameters; arrays are float32, C-contiguous and owned by this value."""

    H1w: Array
    H1b: Array
    H2w: Array
    H2b: Array
    H3w: Array
    H3b: Array
    outw: Array
    outb: Array

    @classmethod
    def init(cls, seed: int, recipe: Recipe = KARPATHY_1989) -> Params:
        """Fresh parameters as the recipe starts: weights uniform, biases 0 but for the outputs'.

        The article prints 2.4/fan-in; the square root and output biases of -1 (nine of ten targets
        are -1) are Karpathy's reading. PCG64 makes a seed mean the same on every machine.
        Raises UserError for a negative seed.
        """
        if seed < 0:
            raise UserError(f"seed is {seed}; give a whole number from 0 up")
        rng = np.random.Generator(np.random.PCG64(seed))
        arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes(recipe.width).items()}
        for name, fan_in in FAN_INS.items():
            bound = recipe.bound(fan_in if name == "H1w" else fan_in * recipe.width)
            arrays[name][...] = rng.uniform(-bound, bound, arrays[name].shape)
        arrays["outb"][...] = recipe.output_bias
        return cls(**arrays)

    @classmethod
    def of_2022(cls, recipe: Recipe = KARPATHY_1989) -> Params:
        """Karpathy's own initial weights, to the bit, with the recipe's output biases.

        What torch.manual_seed(1337) and then Net() of repro.py or modern.py draw. torch's generator
        on the CPU is the Mersenne Twister, seeded as numpy's RandomState seeds it, and its float32
        in [0, 1) is a draw's low 24 bits; neither library has changed that since.
        Raises UserError for a wider network than his.
        """
        if recipe.width > 1:
            raise UserError(
                f"the start of 2022 has width 1; recipe {recipe.name} has {recipe.width}"
            )
        rng = np.random.RandomState(1337)
        arrays = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
        for name, fan_in in FAN_INS.items():
            low_bits = rng.randint(0, 2**32, SHAPES[name], np.uint32) & np.uint32(2**24 - 1)
            uniform = low_bits.astype(np.float32) / np.float32(2**24)
            arrays[name][...] = (uniform - 0.5) * 2 * 2.4 / fan_in**0.5  # rounded as his
        arrays["outb"][...] = recipe.output_bias
        return cls(**arrays)

    @classmethod
    def from_mapping(cls, arrays: Mapping[str, object]) -> Params:
        """Copy parameters out of a mapping of arrays or tensors, such as a state_dict.

        The planes of H1w tell the width. Raises UserError naming the array where one is missing,
        misshapen or not finite.
        """
        copies: dict[str, Array] = {}
        planes = np.asarray(arrays.get("H1w")).shape[:1]
        for name, shape in shapes(max(1, planes[0] // 12) if planes else 1).items():
            if name not in arrays:
                raise UserError(f"parameters: {name} is missing; expected {', '.join(NAMES)}")
            found = np.asarray(arrays[name])
            if found.shape != shape:
                raise UserError(f"parameters: {name} has shape {found.shape}, expected {shape}")
            if found.dtype.kind != "f" or not np.isfinite(found).all():
                raise UserError(f"parameters: {name} is not all finite floating-point numbers")
            copies[name] = np.array(found, np.float32, order="C", copy=True)
        return cls(**copies)

    def items(self) -> Iterator[tuple[str, Array]]:
        """(name, array) in the order of the network."""
        return ((name, getattr(self, name)) for name in NAMES)

    def count(self) -> int:
        """Number of free parameters."""
        return sum(array.size for _, array in self.items())

    def copy(self) -> Params:
        """A value that shares no memory with this one."""
        return Params(**{name: array.copy() for name, array in self.items()})

    def distance(self, other: Params) -> tuple[str, float]:
        """Name of the array that differs most, and its largest absolute difference.

        A NaN anywhere is an infinite distance: broken parameters are never close to anything.
        """
        gaps = {}
        for name, mine in self.items():
            gap = float(np.max(np.abs(mine.astype(np.float64) - getattr(other, name))))
            gaps[name] = math.inf if math.isnan(gap) else gap
        worst = max(gaps, key=gaps.__getitem__)
        return worst, gaps[worst]

    def save(self, path: Path) -> None:
        """Write an .npz in one atomic step: readers see the old file or the new one."""
        with replacing(path) as file:
            np.savez(file, allow_pickle=False, **dict(self.items()))

    @classmethod
    def load(cls, path: Path) -> Params:
        """Read what save() wrote. Raises UserError naming the file where it is not that."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls.from_mapping(arrays)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
            raise UserError(
                f"parameters: {path} cannot be used: {shown(str(error), 200)}"
            ) from None
