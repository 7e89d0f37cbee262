"""What is decided at compile time: one kernel, and a numba type for each combination of choices.

A `Choices` value carries no data into compiled code; its *type* says everything. Where the kernel
depends on a choice it calls a small function (`activate`, `slope`, ...) whose implementation
numba picks by that type, so only what a recipe needs is compiled. The type's name, and with it the
key of the cache on disk, includes a digest of this package's source: numba itself only watches the
file of the entry function, and would run an old kernel after an edit in another file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from numba.core import types
from numba.extending import NativeValue, models, register_model, typeof_impl, unbox

from zipnet import schemes
from zipnet.fused.compiling import primitive
from zipnet.recipe import Activation, Loss, Optimizer, Output, Scheme


@dataclass(frozen=True)
class Choices:
    """Fields of a Recipe, which explains them and refuses what makes no sense; here nothing is
    checked again, but a value without an implementation does not compile.

    curved: whether the steps to come take pseudo-Newton's second derivatives.
    """

    activation: Activation = "tanh"
    output: Output = "tanh"
    loss: Loss = "mse"
    optimizer: Optimizer = "sgd"
    dropout: float = 0.0
    shift: bool = False
    mu: float = 0.0
    curved: bool = False
    scheme: Scheme = "blocks"

    def evaluated(self) -> Choices:
        """The choices that matter when the network only answers."""
        return Choices(activation=self.activation, output=self.output, scheme=self.scheme)

    def differentiated(self) -> Choices:
        """The choices that matter to a gradient, and to the second derivatives beside it."""
        return replace(self, optimizer="sgd", mu=0.0)


@cache
def source_digest() -> str:
    """Digest of all sources of this package, and of the schemes that its kernels hold."""
    digest = hashlib.sha256()
    for path in (*sorted(Path(__file__).parent.glob("*.py")), Path(schemes.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class ChoicesType(types.Opaque):
    """The type of a `Choices` value in compiled code.

    squared: what goes backward are second derivatives, through squares (zipnet/reference.py).
    """

    def __init__(self, value: Choices, digest: str, *, squared: bool = False) -> None:
        self.value = value
        self.digest = digest
        self.squared = squared
        super().__init__(name=f"{value}{'^2' if squared else ''}@{digest}")


register_model(ChoicesType)(models.OpaqueModel)


@cache
def _type(value: Choices) -> ChoicesType:
    return ChoicesType(value, source_digest())


@typeof_impl.register(Choices)
def _typeof(value: Choices, _context: Any) -> ChoicesType:
    return _type(value)


@primitive
def squared(typingctx: Any, choices: Any) -> Any:
    """The same choices, for the backward pass of second derivatives."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.get_dummy_value()

    return ChoicesType(choices.value, choices.digest, squared=True)(choices), generate


@unbox(ChoicesType)
def _unbox(kind: Any, _value: Any, c: Any) -> NativeValue:
    return NativeValue(c.context.get_dummy_value())
