"""The registry: every engine by name. An engine's module is imported when it is first asked for.

Order is from the plainest to the most fused, and tables keep it. parallel, which every rank must
ask for, stands below tuned, which runs wherever it does, and so is never chosen as the fastest.
"""

from __future__ import annotations

import importlib
from typing import Final, cast

from zipnet.doing import doing
from zipnet.engines import trial
from zipnet.engines.base import Engine, Placed, Unavailable
from zipnet.errors import UserError, choice, note, one_line
from zipnet.recipe import Recipe

__all__ = [
    "Engine",
    "Placed",
    "Unavailable",
    "fastest",
    "kind",
    "make",
    "names",
    "require",
    "why_not",
]

_REGISTRY: Final = {
    "eager": "zipnet.engines.eager:Eager",
    "parallel": "zipnet.engines.parallel:Parallel",
    "tuned": "zipnet.engines.tuned:Tuned",
    "compiled": "zipnet.engines.compiled:Compiled",
    "graphed": "zipnet.engines.graphed:Graphed",
    "mlx": "zipnet.engines.mlx:Mlx",
    "xla": "zipnet.engines.xla:Xla",
    "fused": "zipnet.engines.fused:Fused",
    "fused_cuda": "zipnet.engines.fused_cuda:FusedCuda",
}


def names() -> list[str]:
    """Every engine that can train."""
    return list(_REGISTRY)


def kind(name: str) -> type[Engine]:
    """The engine's class, for what it says of itself. Raises ImportError where a library is not.

    Raises UserError for a name that is not registered.
    """
    module, _, attribute = _REGISTRY[choice("engine", name, names())].partition(":")
    return cast(type[Engine], getattr(importlib.import_module(module), attribute))


def why_not(name: str, recipe: Recipe, device: str, *, tried: bool = True) -> str | None:
    """None where the engine can run the recipe on the device here; otherwise the reason.

    tried: it is asked for a step, too, once in a process. Raises UserError for a name that is none.
    """
    from zipnet import devices  # needs torch

    choice("engine", name, names())
    if misnamed := devices.misnamed(device):
        raise UserError(misnamed)
    with doing(f"trying engine {name} on {device}"):
        reason = trial.switched_off(name) or (tried and trial.perished(name, device)) or None
        if reason is None:
            reason = _says_why_not(name, recipe, device)
        return trial.failure(kind(name), device) if tried and reason is None else reason


def _says_why_not(name: str, recipe: Recipe, device: str) -> str | None:
    """The reason without a trial."""
    try:
        engine = kind(name)
    except ModuleNotFoundError as error:
        return f"{error.name} is not installed"
    except Exception as error:  # installed, but not for this machine or what else is installed
        return f"its library does not load: {one_line(str(error), 200)}"
    if recipe.rival:
        return f"recipe {recipe.name} trains another network, in plain torch: zipnet/rivals.py"
    return engine.why_not(recipe, device)


def require(name: str, recipe: Recipe, device: str, *, tried: bool = True) -> type[Engine]:
    """The engine's class. Raises Unavailable with the reason where it cannot run here."""
    reason = why_not(name, recipe, device, tried=tried)
    if reason is not None:
        raise Unavailable(f"engine {name} on {device}: {reason}; see: python -m zipnet engines")
    return kind(name)


def make(name: str, recipe: Recipe, device: str, threads: int | None = None) -> Engine:
    """Construct an engine. Raises Unavailable where it says that it cannot run here.

    Nothing is tried: its first step will be the caller's.
    """
    return require(name, recipe, device, tried=False)(recipe, device, threads)


def fastest(recipe: Recipe, device: str) -> str:
    """The most fused engine that can run the recipe on the device.

    One that should have been chosen and is broken is told of.
    """
    reasons = []
    for name in reversed(names()):
        reason = why_not(name, recipe, device)
        if reason is None:
            return name
        if reason.startswith(trial.BROKEN):
            note(f"engine {name} is passed over, for it {reason}")
        reasons.append(f"{name}: {reason}")
    raise Unavailable(f"no engine can run recipe {recipe.name} on {device}: {'; '.join(reasons)}")
