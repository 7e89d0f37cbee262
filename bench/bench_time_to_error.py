"""What does the fast way cost? The time until so few test digits are misread, batch by batch.

Steps on many digits are cheap by the digit and learn less from each. Which of both wins is a
matter of passes, so here every batch trains at the learning rate that suits it (zipnet/rates.py)
until its test error is down, and the clock runs while it learns.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

import pytest

from bench.measuring.harness import seconds_a_step, value_of
from bench.measuring.session import Bench
from bench.measuring.settings import Setting, patiently, slow_to_compile, without_idle_threads
from zipnet import rates
from zipnet.pursuit import LEVELS, pursue
from zipnet.results.schema import Level
from zipnet.training import stage

SEEDS: Final = range(5)  # one a round, as many as there is time for; the search had others
FEW: Final = (1, 32)  # the batches of every profile but full;
ALL: Final = rates.BATCHES[-1]  # and on accelerators all digits, which take a CPU minutes
PROBE_STEPS: Final = 50
BEYOND: Final = 2.0  # times the passes that the search needed to a higher level than the last


@patiently(slow_to_compile, "torch.compile takes many seconds for each batch")
@pytest.mark.parametrize("batch", rates.BATCHES)
def bench_time_to_error(bench: Bench, setting: Setting, batch: int) -> None:
    """Trainings of several seeds, each until the last level of error or out of passes.

    An engine that would need longer than its share of the limit is left out, as for a whole
    training.
    """
    workshop, known = bench.workshop, rates.known()
    asked: tuple[int, ...] = rates.BATCHES
    if bench.profile.name != "full":
        asked = FEW if setting.place.device == "cpu" else (*FEW, ALL)
    if why := _why_not(workshop.digits.name, setting, batch, known, asked):
        bench.leave_out(setting, "time-to-error", why)
    ready, rate, most = workshop.ready(setting, batch), known[batch], rates.most_passes(batch)
    engine, steps = ready.engine, max(1, PROBE_STEPS // batch)
    step = seconds_a_step(engine, workshop.placed(engine, steps * batch, batch))
    passes = min(BEYOND * rate.passes, most)
    projected = step * -(-len(workshop.digits.x_train) // batch) * passes
    limit = bench.train_limit / len(asked)
    if projected > limit:
        why = (
            f"a training would take about {projected:.1f} s, over the limit of {limit:.3g} s "
            f"(--train-limit, shared by {len(asked)} batches)"
        )
        bench.leave_out(setting, "time-to-error", why)
    on = stage(engine, workshop.digits)
    levels = [Level(error, [], []) for error in LEVELS]
    row = bench.row("time-to-error", setting, on.parts[0], ready.verified)
    row.steps = row.presentations = row.macs = None  # they differ from round to round
    row.most_passes, row.seed, row.levels = most, SEEDS[0], levels
    row.lr, row.lr_found = rate.lr, rate.found

    def work() -> float:
        at = bench.timed.taking if bench.timed else 0
        found = pursue(engine, on, SEEDS[at], lr=rate.lr, passes=most)
        for level, reached in zip(levels, found.reached, strict=True):
            level.passes[at : at + 1] = [reached.passes if reached else None]
            level.seconds[at : at + 1] = [reached.seconds if reached else None]
        return found.seconds

    fresh = ready.enter
    bench.measure(work, row, fresh, fresh=fresh, estimate=projected, most=len(SEEDS), read=value_of)


def _why_not(
    digits: str, setting: Setting, batch: int, known: Container[int], asked: Container[int]
) -> str | None:
    """Why a batch has no row, as far as that is known before a step is taken."""
    if digits != "usps":
        return f"learning rates are known for usps, not for {digits}"
    if batch not in known:
        return f"no learning rate is known for batch {batch:,}; python -m bench search finds it"
    if batch not in asked:
        return f"batch {batch:,} is one of many; --profile full measures it"
    if not without_idle_threads(setting, batch):
        return f"a step on so few digits as {batch} takes one thread"
    return None
