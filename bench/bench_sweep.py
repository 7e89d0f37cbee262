"""What does asking for a step cost, and what does its work cost? One step at every size of batch.

The time of a step grows with its batch as t(B) = a + b B: a is what it takes to ask for a step at
all, b what one more digit in it takes. The report fits both, and says at which batch one engine or
device overtakes another.
"""

from __future__ import annotations

from typing import Final

import pytest

from bench.measuring.session import Bench
from bench.measuring.settings import (
    Setting,
    goes_by_eager,
    once_a_device,
    only,
    patiently,
    slow_to_compile,
)

BATCHES: Final = (1, 4, 16, 64, 256, 1024)  # bench_fullbatch.py has the last, all digits


@only(once_a_device)
@patiently(slow_to_compile, "torch.compile takes many seconds for each batch")
@patiently(goes_by_eager, "its sweep bends where eager's does")
@pytest.mark.parametrize("batch", BATCHES)
def bench_batch(bench: Bench, setting: Setting, batch: int) -> None:
    """One update from so many digits, then wait."""
    digits = len(bench.workshop.digits.x_train)
    if batch > digits:
        reason = f"{bench.workshop.digits.name} has {digits} training digits"
        bench.leave_out(setting, "sweep", reason)
    ready = bench.workshop.ready(setting, batch)
    engine, placed = ready.engine, bench.workshop.placed(ready.engine, batch, batch)

    def work() -> None:
        engine.run(placed)
        engine.sync()

    bench.measure(work, bench.row("sweep", setting, placed, ready.verified), ready.enter)
