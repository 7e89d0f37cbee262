"""How many joules does the training of 1989 take? By the device's own counters, or not at all."""

from __future__ import annotations

from bench.measuring import energy
from bench.measuring.energy import BUSY, IDLE
from bench.measuring.harness import shares
from bench.measuring.session import Bench
from bench.measuring.settings import Setting, once_a_device, only, patiently
from zipnet import paper
from zipnet.results.schema import FEWEST_ROUNDS


@only(once_a_device)
@patiently(lambda _: True, "joules, where they are counted, take windows of ten seconds")
def bench_joules(bench: Bench, setting: Setting) -> None:
    """Queued steps for ten seconds, between idle windows; joules of as many as a training has."""
    meter = energy.meter(setting.place.device)
    if isinstance(meter, str):
        bench.leave_out(setting, "joules", meter)
    ready = bench.workshop.ready(setting, batch=1)
    engine, placed = ready.engine, bench.queued(ready.engine)
    row = bench.row("joules", setting, placed, ready.verified)
    row.steps = row.presentations = paper.PRESENTATIONS
    row.macs = paper.PRESENTATIONS * engine.recipe.step_macs
    row.meter = meter.name

    def work() -> float:
        seen = energy.window(meter, lambda: (engine.run(placed), engine.sync()))
        row.idle_watts += seen.watts
        return seen.joules * paper.PRESENTATIONS / (seen.rounds * placed.presentations)

    each = BUSY + 2 * IDLE
    timed = bench.measure(work, row, ready.enter, fresh=ready.enter, estimate=each, most=1)
    timed.rounds += shares(FEWEST_ROUNDS - 1, bench.profile.laps - 1)
