"""How large must a step be to be more work than dispatch? One step of ever wider networks.

A network of width k has k times the planes and units of 1989 and, where k is large, about k^2
times the MACs, asked for by as many operations: t = a + b MACs, where a is the cost of asking.
"""

from __future__ import annotations

from typing import Final

import pytest

from bench.measuring.session import Bench
from bench.measuring.settings import Setting, once_a_device, only, patiently
from zipnet import engines
from zipnet.recipe import KARPATHY_1989

WIDTHS: Final = (1, 4, 16, 64)
BATCHES: Final = (1, 64)
SAMPLE: Final = {"full": WIDTHS, "standard": (1, 4, 16)}  # widths by profile
ENDS: Final = (1, 16)  # of the profiles that SAMPLE does not name


def widens(setting: Setting) -> bool:
    """For engines that run wider networks than that of 1989."""
    wide = KARPATHY_1989.at_width(2)
    return engines.why_not(setting.engine, wide, setting.place.device, tried=False) is None


def but_eager(setting: Setting) -> bool:
    """Whatever asks for its operations otherwise than one by one."""
    return setting.engine != "eager"


@only(lambda setting: once_a_device(setting) and widens(setting))
@patiently(but_eager, "the width ladder is asked of eager, for what dispatch costs it")
@pytest.mark.parametrize("batch", BATCHES, ids="batch={}".format)
@pytest.mark.parametrize("width", WIDTHS, ids="width={}".format)
def bench_wide_step(bench: Bench, setting: Setting, width: int, batch: int) -> None:
    """One update of a network so wide from so many digits, then wait."""
    if width not in SAMPLE.get(bench.profile.name, ENDS):
        bench.leave_out(setting, "width", f"--profile full measures width {width} as well")
    ready = bench.workshop.ready(setting, batch, width)
    engine, placed = ready.engine, bench.workshop.placed(ready.engine, batch, batch)

    def work() -> None:
        engine.run(placed)
        engine.sync()

    row = bench.row("width", setting, placed, ready.verified)
    row.width, row.macs = width, batch * engine.recipe.step_macs
    bench.measure(work, row, ready.enter)
