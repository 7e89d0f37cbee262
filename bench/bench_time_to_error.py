"""What does the fast way cost? The time until so few test digits are misread, batch by batch.

Steps on many digits are cheap by the digit and learn less from each. Which of both wins is a
matter of passes, so here every batch trains at the learning rate that suits it (zipnet/rates.py)
until its test error is down, and the clock runs while it learns.
"""

from __future__ import annotations

from typing import Final

import pytest

from bench.measuring.harness import seconds_of, value_of
from bench.measuring.session import Bench
from bench.measuring.settings import Setting, patiently, slow_to_compile, without_idle_threads
from zipnet import rates
from zipnet.pursuit import LEVELS, pursue
from zipnet.results.schema import Level
from zipnet.training import stage

SEEDS: Final = range(5)  # one a round, as many as there is time for; the search had others
FEW: Final = (1, 32)  # batches of the other profiles than full, and on a GPU:
ALL: Final = rates.BATCHES[-1]  # digits, which take a CPU minutes
PROBE_STEPS: Final = 50
BEYOND: Final = 2.0  # times the passes that the search needed to a higher level than the last


@patiently(slow_to_compile, "torch.compile takes many seconds for each batch")
@pytest.mark.parametrize("batch", rates.BATCHES)
def bench_time_to_error(bench: Bench, setting: Setting, batch: int) -> None:
    """Trainings of several seeds, each until the last level of error or out of passes.

    An engine that would need longer than its share of the limit is left out, as for a whole
    training.
    """
    workshop = bench.workshop
    digits, known = workshop.digits, rates.known()
    if digits.name != "usps":
        why = f"learning rates are known for usps, not for {digits.name}"
        bench.leave_out(setting, "time-to-error", why)
    if batch not in known:
        why = f"no learning rate is known for batch {batch:,}; python -m bench search finds it"
        bench.leave_out(setting, "time-to-error", why)
    asked: tuple[int, ...] = rates.BATCHES
    if bench.profile.name != "full":
        asked = FEW if setting.place.device == "cpu" else (*FEW, ALL)
    if batch not in asked:
        why = f"batch {batch:,} is one of many; --profile full measures it"
        bench.leave_out(setting, "time-to-error", why)
    if not without_idle_threads(setting, batch):
        why = f"a step on so few digits as {batch} takes one thread"
        bench.leave_out(setting, "time-to-error", why)
    ready = workshop.ready(setting, batch)
    engine, rate = ready.engine, known[batch]
    steps = max(1, PROBE_STEPS // batch)
    probe = workshop.placed(engine, steps * batch, batch)
    engine.run(probe)
    engine.sync()
    step = seconds_of(lambda: (engine.run(probe), engine.sync())) / steps
    most = rates.most_passes(batch)
    projected = step * -(-len(digits.x_train) // batch) * min(BEYOND * rate.passes, most)
    limit = bench.train_limit / len(asked)
    if projected > limit:
        why = (
            f"a training would take about {projected:.1f} s, over the limit of {limit:.3g} s "
            f"(--train-limit, shared by {len(asked)} batches)"
        )
        bench.leave_out(setting, "time-to-error", why)
    on = stage(engine, digits)
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
