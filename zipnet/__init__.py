"""zipnet: the zip-code network of 1989 and the ways to run it.

Names load on first use: importing this package loads neither torch nor numba.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zipnet.count import counted
    from zipnet.data import Digits, load
    from zipnet.engines import make
    from zipnet.errors import UserError
    from zipnet.params import Params
    from zipnet.recipe import Recipe, named
    from zipnet.replicas import Replica, train_replicas
    from zipnet.rivals import train_rival
    from zipnet.training import train

__version__ = "0.2.0"

_HOME = {
    "Digits": "zipnet.data",
    "Params": "zipnet.params",
    "Recipe": "zipnet.recipe",
    "Replica": "zipnet.replicas",
    "UserError": "zipnet.errors",
    "counted": "zipnet.count",
    "load": "zipnet.data",
    "make": "zipnet.engines",
    "named": "zipnet.recipe",
    "train": "zipnet.training",
    "train_replicas": "zipnet.replicas",
    "train_rival": "zipnet.rivals",
}
__all__ = [
    "Digits",
    "Params",
    "Recipe",
    "Replica",
    "UserError",
    "counted",
    "load",
    "make",
    "named",
    "train",
    "train_replicas",
    "train_rival",
]


def __getattr__(name: str) -> object:
    """Import a public name from the module it lives in (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'zipnet' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return [*__all__, "__version__"]
