"""Counting the network three ways that must agree: fvcore, torch's FLOP counter, closed form.

fvcore counts what the traced module does forward. FlopCounterMode counts what torch dispatches,
backward too. paper.py derives both from the article's figure 3. A multiply-accumulate (MAC) is
one "flop" to fvcore and two to torch.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import asdict, dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from zipnet import paper
from zipnet.errors import UserError, how_to_install
from zipnet.net import Net, loss_fn
from zipnet.params import Params
from zipnet.recipe import Recipe

COLUMNS = ("units", "connections", "params", "macs", "activations", "step_macs")


class Disagreement(AssertionError):
    """Two ways of counting differ: a mistake of ours, never of the user's."""


@dataclass(frozen=True)
class Counts:
    """Totals of the network; step_macs are those of one first-order step on one digit."""

    units: int
    connections: int
    params: int
    macs: int
    activations: int
    step_macs: int

    def as_dict(self) -> dict[str, int]:
        """Totals by name, in the order of COLUMNS."""
        return asdict(self)


def counted(recipe: Recipe, *, by_fvcore: bool = True) -> Counts:
    """Count the recipe's network in every way and return the totals.

    by_fvcore: False leaves that way out, for who measures without the library.
    Raises Disagreement naming the ways and the figures, UserError where fvcore is missing.
    """
    net = Net(Params.init(0, recipe), recipe)
    x = torch.zeros(1, 1, paper.IMAGE_SIDE, paper.IMAGE_SIDE)
    forward_flops, step_flops = _by_torch(net, x)
    of = {name: paper.total(name, recipe.width) for name in COLUMNS[1:]}
    found = [
        ("forward FLOPs by torch", forward_flops, 2 * of["macs"]),
        ("step FLOPs by torch", step_flops, 2 * of["step_macs"]),
    ]
    if by_fvcore:
        params, macs, activations = _by_fvcore(net, x)
        found += [
            ("parameters by fvcore", params, of["params"]),
            ("MACs by fvcore", macs, of["macs"]),
            ("activations by fvcore", activations, of["activations"]),
        ]
    for what, count, expected in found:
        if count != expected:
            raise Disagreement(f"{what}: {count:,}, but the closed form says {expected:,}")
    return Counts(paper.IMAGE_SIDE**2 + of["activations"], **of)


def _by_fvcore(net: Net, x: torch.Tensor) -> tuple[int, int, int]:
    """(parameters, forward MACs, activations), without fvcore's remarks on uncounted operators."""
    with warnings.catch_warnings():
        # fvcore traces with torch.jit, on which torch warns; it has no other way.
        warnings.simplefilter("ignore")
        try:
            from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count
        except ImportError:
            raise UserError(
                f"fvcore is not installed, and counting needs it; {how_to_install('count')}"
            ) from None
        remarks = logging.getLogger("fvcore.nn.jit_analysis")
        level = remarks.level
        remarks.setLevel(logging.ERROR)
        try:
            macs = int(FlopCountAnalysis(net, x).total())
            activations = int(ActivationCountAnalysis(net, x).total())
        finally:
            remarks.setLevel(level)
    return int(parameter_count(net)[""]), macs, activations


def _by_torch(net: Net, x: torch.Tensor) -> tuple[int, int]:
    """(forward FLOPs, forward and backward FLOPs), two to a MAC."""
    y = torch.full((1, paper.CLASSES), -1.0)
    forward, step = FlopCounterMode(display=False), FlopCounterMode(display=False)
    with forward:
        net(x)
    with step:
        torch.autograd.grad(loss_fn(net(x), y, net.recipe), list(net.parameters()))
    return int(forward.get_total_flops()), int(step.get_total_flops())


def table(totals: Counts, width: int = 1) -> str:
    """The counts per layer and in total, for a terminal."""
    rows = [["layer", *COLUMNS], ["input", f"{paper.IMAGE_SIDE**2:,}", "", "", "", "", ""]]
    rows += [[la.name, *(f"{getattr(la, c):,}" for c in COLUMNS)] for la in paper.layers(width)]
    rows.append(["total", *(f"{value:,}" for value in totals.as_dict().values())])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])
