"""The sweep: the fit finds the law it was given, and who overtakes whom is told from the rows."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import records_factory as factory
from zipnet.results.collect import collect
from zipnet.results.match import keyed
from zipnet.results.sweep import WORST_ERROR, dispatches, fits, ladders, overtakings

BATCHES = (1, 4, 16, 64, 256, 1024, 7291)


def sweep(engine, law, batches=BATCHES, **who):
    """Rows of one engine whose step on B digits takes law(B) seconds."""
    return [
        factory.learning("sweep", 1e6 * law(batch) / batch, 1, batch, engine=engine, **who)
        for batch in batches
    ]


def read(tmp_path, rows):
    found = collect([str(factory.write(tmp_path, factory.result(benchmarks=rows)))]).rows
    assert found["sound"].all()
    return found


def found(tmp_path, rows):
    return fits(read(tmp_path, rows))


@pytest.mark.parametrize(("a", "b"), [(1e-3, 2e-5), (2e-5, 2.3e-6), (1e-4, 1e-5)])
def test_the_fit_finds_the_law_that_the_rows_follow(tmp_path, a, b):
    (fit,) = found(tmp_path, sweep("eager", lambda batch: a + b * batch))
    assert fit.fixed.median == pytest.approx(a, rel=0.05)
    assert fit.each.median == pytest.approx(b, rel=0.05)
    assert fit.half == pytest.approx(a / b, rel=0.08)
    assert fit.worst_error < 0.03
    assert fit.holds
    assert fit.fixed.low <= fit.fixed.median <= fit.fixed.high


def test_the_intervals_cover_the_law_as_often_as_they_say(tmp_path):
    rng, a, b = np.random.default_rng(5), 1e-3, 2e-5
    rows = read(tmp_path, sweep("eager", lambda batch: a + b * batch))
    trials = pd.concat([rows.assign(file=trial) for trial in range(200)])
    noise = np.exp(rng.normal(0, 0.05, len(trials)))
    fitted = fits(trials.assign(value=(a + b * trials["batch"]) * noise))
    assert len(fitted) == 200
    hits = sum((one.fixed.low <= a <= one.fixed.high) + (one.each.low <= b <= one.each.high)
               for one in fitted)  # fmt: skip
    assert hits / 400 > 0.92


def test_a_law_that_does_not_hold_says_how_far_it_is_off(tmp_path):
    (fit,) = found(tmp_path, sweep("eager", lambda b: (1e-3 + 2e-5 * b) * (3 if b > 999 else 1)))
    assert fit.worst_error > 0.3
    assert not fit.holds
    assert fit.each.high / fit.each.low > 2


def test_the_worst_error_is_that_of_the_measured_time(tmp_path):
    rows = sweep("eager", lambda b: (1e-3 + 2e-5 * b) * (1.5 if b == 64 else 1))
    (fit,) = found(tmp_path, rows)
    errors = [abs(fit.seconds(row.batch) - row.value) / row.value for row in fit.rows]
    assert fit.worst_error == pytest.approx(max(errors))
    assert fit.worst_error > WORST_ERROR


def test_sweeps_that_follow_the_law_come_first(tmp_path):
    bent = sweep("fused", lambda b: 1e-6 * (1 + b) * (3 if b > 999 else 1))
    fitted = found(tmp_path, [*bent, *sweep("eager", lambda b: 1e-3 + 2e-5 * b)])
    assert [(fit.source.engine, fit.holds) for fit in fitted] == [("eager", True), ("fused", False)]


def test_two_batches_fit_any_line_and_so_say_nothing(tmp_path):
    assert found(tmp_path, sweep("eager", lambda b: 1e-3 * b, batches=(1, 7291))) == []


@pytest.mark.parametrize(("a", "b"), [(1e-6, 1e-3), (0.1, 1e-9)])
def test_a_part_too_small_to_be_seen_does_not_spoil_the_other(tmp_path, a, b):
    (fit,) = found(tmp_path, sweep("eager", lambda batch: a + b * batch))
    hidden, seen = (fit.fixed, fit.each) if a < b else (fit.each, fit.fixed)
    assert hidden.median < 0.05 * seen.median
    assert seen.median == pytest.approx(max(a, b), rel=0.05)


@pytest.fixture(scope="module")
def seven(tmp_path_factory):
    """The rows of a sweep, one a batch."""
    return read(tmp_path_factory.mktemp("seven"), sweep("eager", lambda b: 1e-3 * b))


@given(st.lists(st.floats(1e-9, 1e3), min_size=3, max_size=7))
def test_any_timings_have_a_fit_of_positive_finite_numbers(seven, seconds):
    (fit,) = fits(seven.head(len(seconds)).assign(value=seconds))
    for one in (fit.fixed, fit.each):
        assert 0 < one.low <= one.median <= one.high < math.inf


def test_the_batch_where_one_overtakes_another_lies_where_their_laws_cross(tmp_path):
    rows = [
        *sweep("fused", lambda b: 1e-5 + 5e-6 * b),
        *sweep("eager", lambda b: 1e-3 + 1e-6 * b, device="cuda", threads=None),
    ]
    (change,) = overtakings(found(tmp_path, rows))
    assert (change.first.engine, change.then.engine) == ("fused", "eager")
    assert change.between == (64, 256) or change.between == (256, 1024)
    assert change.batch == pytest.approx(990e-6 / 4e-6, rel=0.25)


def test_equal_engines_never_overtake_each_other(tmp_path):
    def law(b):
        return 1e-3 + 1e-6 * b

    rows = [*sweep("eager", law), *sweep("compiled", law)]
    assert overtakings(found(tmp_path, rows)) == []


def test_a_batch_at_which_two_cannot_be_told_apart_does_not_hide_the_change(tmp_path):
    rows = [
        *sweep("fused", lambda b: 5e-4 if b < 64 else 5e-3 if b == 64 else 5e-2),
        *sweep("eager", lambda b: 5e-3),
    ]
    (change,) = overtakings(found(tmp_path, rows))
    assert change.between == (16, 256)


# --- disturbed rows -----------------------------------------------------------------------------


def disturbed(row):
    """The same row, measured beside a busy loop."""
    laps = row["extra_info"]["laps"]
    row["extra_info"]["watch"] = [factory.watch(seconds=1e3, other_cpu_seconds=1e3) for _ in laps]
    return row


def test_a_disturbed_batch_is_shown_and_not_fitted(tmp_path):
    def law(b):
        return 1e-3 + 2e-5 * b

    rows = sweep("eager", law)
    rows[3] = disturbed(sweep("eager", lambda b: 5 * law(b))[3])
    (fit,) = found(tmp_path, rows)
    assert fit.worst_error < 0.03
    assert fit.holds
    assert len(fit.rows) == len(BATCHES)
    assert found(tmp_path, [*map(disturbed, rows[:5]), *rows[5:]]) == []


def test_no_engine_leads_by_a_disturbed_row(tmp_path):
    slow = sweep("eager", lambda b: 1e-3 + 1e-6 * b)
    fast = sweep("fused", lambda b: 1e-5 if b < 64 else 1.0)
    (change,) = overtakings(found(tmp_path, [*slow, *fast]))
    assert change.between == (16, 64)
    fast[3:5] = map(disturbed, fast[3:5])  # 64 and 256
    (change,) = overtakings(found(tmp_path, [*slow, *fast]))
    assert change.between == (16, 1024)


def queued(engine, us, **who):
    return factory.learning("sgd-queued", us, 100, 1, engine=engine, **who)


def shares(tmp_path, *rows):
    return [(one.by, one.share) for one in dispatches(read(tmp_path, list(rows)))]


def test_dispatch_is_what_a_replay_saves_or_else_what_the_sweep_asks(tmp_path):
    gpu = {"device": "cuda", "threads": None}
    eager, replayed = queued("eager", 1000, **gpu), queued("graphed", 100, **gpu)
    swept = sweep("eager", lambda b: 1e-3 + 1e-5 * b, **gpu)
    ((by, share),) = shares(tmp_path, eager, replayed, *swept)
    assert (by, share) == ("replay", pytest.approx(0.9, rel=0.02))
    ((by, share),) = shares(tmp_path, eager, disturbed(replayed), *swept)
    assert (by, share) == ("sweep", pytest.approx(0.99, rel=0.02))
    assert shares(tmp_path, disturbed(eager), replayed, *swept) == []
    assert shares(tmp_path, queued("eager", 1000, **gpu)) == []
    bent = sweep("eager", lambda b: (1e-3 + 1e-5 * b) * (3 if b > 99 else 1), **gpu)
    assert shares(tmp_path, eager, *bent) == []


# --- the ladder of widths -------------------------------------------------------------------------


def climbed(tmp_path, *rows):
    return ladders(read(tmp_path, list(rows)))


@pytest.mark.parametrize("batch", [1, 64])
def test_the_ladder_says_of_how_many_macs_half_a_step_is_dispatch(tmp_path, batch):
    a, b = 1e-3, 1e-11
    (ladder,) = climbed(tmp_path, *factory.ladder("eager", lambda macs: a + b * macs, batch))
    assert ladder.holds
    assert ladder.half == pytest.approx(a / b, rel=0.05)
    assert ladder.half_between.low < ladder.half < ladder.half_between.high
    assert ladder.seconds(ladder.half) == pytest.approx(2 * ladder.fixed.median)
    assert [row.width for row in ladder.rows] == [1, 4, 16, 64]


def test_batches_and_engines_have_a_ladder_each_and_those_that_hold_come_first(tmp_path):
    def bent(macs):
        return (1e-3 + 1e-11 * macs) * (2 if macs > 1e7 else 1)

    def law(macs):
        return 1e-2 + 1e-11 * macs

    rows = [*factory.ladder("xla", bent), *factory.ladder("eager", law, 1),
            *factory.ladder("eager", law, 64)]  # fmt: skip
    found = climbed(tmp_path, *rows)
    assert [(one.source.engine, one.holds) for one in found] == [
        ("eager", True), ("eager", True), ("xla", False)]  # fmt: skip
    assert {one.source.batch for one in found} == {1, 64}
    assert fits(read(tmp_path, rows)) == []  # the sweep is another question


def test_two_widths_fit_any_line_and_a_disturbed_one_is_none(tmp_path):
    rows = factory.ladder("eager", lambda macs: 1e-3 + 1e-11 * macs, widths=(1, 4, 16))
    assert len(climbed(tmp_path, *rows)) == 1
    assert climbed(tmp_path, *rows[:2], disturbed(rows[2])) == []


def test_the_interval_of_the_law_covers_it_as_often_as_it_says_also_far_beyond(tmp_path):
    rng, a, b, beyond = np.random.default_rng(5), 1e-3, 1e-11, 1e12
    rows = read(tmp_path, factory.ladder("eager", lambda macs: a + b * macs))
    trials = pd.concat([rows.assign(file=trial) for trial in range(200)])
    noise = np.exp(rng.normal(0, 0.03, len(trials)))
    found = ladders(trials.assign(value=(a + b * trials["macs"]) * noise))
    for truth, of in (
        (a + b * beyond, lambda one: one.between(beyond)),
        (a / b, lambda one: one.half_between),
    ):
        hits = sum(of(one).low <= truth <= of(one).high for one in found)
        assert hits / len(found) > 0.92


def test_rows_of_several_widths_are_several_keys_and_their_work_is_checked(tmp_path):
    rows = factory.ladder("eager", lambda macs: 1e-3 + 1e-11 * macs)
    runs = collect([str(factory.write(tmp_path, factory.result(benchmarks=rows)))])
    kept, alone = keyed(runs).of_run(runs.runs[0])
    assert not alone
    assert [key.width for key in kept] == [1, 4, 16, 64]
    assert "width · eager · cpu · 1 thread · width 16 · batch 1" in [key.text for key in kept]
    rows[2]["extra_info"]["width"] = 17
    path = factory.write(tmp_path / "wrong", factory.result(benchmarks=rows))
    (wrong,) = collect([str(path)]).rows.query("~sound").itertuples()
    assert wrong.invalid.startswith("macs is ")


def test_of_a_fleet_the_ladders_of_the_fastest_are_fitted(tmp_path):
    rows = read(tmp_path, factory.ladder("eager", lambda macs: 1e-3 + 1e-11 * macs))
    fleet = pd.concat([rows.assign(file=at, value=rows["value"] * (1 + at)) for at in range(9)])
    assert [one.source.file for one in ladders(fleet, most=2)] == [0, 1]
