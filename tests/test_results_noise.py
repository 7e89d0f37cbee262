"""The null test: equal things are compared, and what they differ by becomes the threshold."""

import math

import numpy as np
import pytest

from tests import records_factory as factory
from zipnet.results.collect import collect
from zipnet.results.noise import (
    OWN,
    PRIOR,
    SHARED,
    UNSEEN,
    UNSTEADY,
    Answer,
    Scale,
    next_within,
    nulls,
    said,
    scale,
    together,
)
from zipnet.results.statistics import ratios, student, widen
from zipnet.results.verdict import compared

LAPS, EACH = 4, 10


def run(tmp_path, day, speeds, name="m", **overrides):
    """A run whose rows are each `speeds` times as fast as the time written here."""
    rng = np.random.default_rng(day)
    rows = []
    for at, speed in enumerate(speeds):
        row = factory.learning("sgd-queued", 900.0, 100, 1, engine=f"engine{at}")
        row["fullname"] += str(at)
        rows.append(factory.retimed(row, list(0.09 / speed * rng.lognormal(0, 1e-3, LAPS * EACH))))
    content = factory.result(
        name, benchmarks=rows, datetime=f"2026-11-{day:02d}T02:00:00+00:00", **overrides
    )
    return str(factory.write(tmp_path, content, f"{day}.json"))


def runs_of(tmp_path, *speeds, rows=10, **overrides):
    """Runs of one machine, a day each, all of whose rows are so many times as fast."""
    paths = [run(tmp_path, day, [speed] * rows, **overrides)
             for day, speed in enumerate(speeds, start=1)]  # fmt: skip
    return collect(paths)


# --- the rule -----------------------------------------------------------------------------------


def test_a_machine_that_nobody_measured_twice_has_the_prior_and_no_more():
    shared, own = (student(PRIOR) * sd for sd in (SHARED, OWN))
    assert UNSEEN.noise() == pytest.approx(math.expm1(math.hypot(shared, own)))
    assert scale(np.zeros((1, 5)), [0]) == (UNSEEN, {})


def test_the_next_difference_is_student_s_t_of_what_was_seen_and_of_the_prior():
    """By hand: two runs, all of whose rows differ by 4%."""
    logs = np.log(np.outer([1.0, 1.04], np.ones(30)))
    found, odd = scale(logs, [0, 0])
    variance = (PRIOR * SHARED**2 + math.log(1.04) ** 2) / (PRIOR + 1)
    assert found.degrees == 1
    assert found.noise() == pytest.approx(math.expm1(student(PRIOR + 1) * math.sqrt(variance)))
    assert not odd


@pytest.mark.parametrize("runs", [2, 3, 5, 8])
@pytest.mark.parametrize("sigma", [0.002, 0.01, 0.03])
def test_the_next_runs_lie_within_it_as_often_as_stated(runs, sigma):
    """Levels and rows normal, as the rule takes them: no wider wander than the prior covers."""
    rng = np.random.default_rng([runs, round(1e3 * sigma)])
    outside = 0
    for _ in range(200):
        logs = rng.normal(0, sigma, (runs + 2, 1)) + rng.normal(0, 0.005, (runs + 2, 20))
        within = math.log1p(scale(logs[2:], [0] * runs)[0].noise())
        outside += (np.abs(logs[0] - logs[1]) > within).mean()
    assert outside / 200 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_what_the_rows_of_two_runs_share_is_one_difference():
    shared = np.outer([0.0, math.log(1.002)], np.ones(40))
    own = np.array([np.zeros(40), [math.log(1.002 ** (-1) ** at) for at in range(40)]])
    assert scale(own, [0, 0])[0].own == pytest.approx(math.log(1.002), rel=0.01)
    assert scale(shared, [0, 0])[0].own == pytest.approx(0.0, abs=1e-12)
    assert scale(shared, [0, 0])[0].noise() > scale(np.zeros((3, 40)), [0] * 3)[0].noise()


def test_more_runs_say_it_more_finely_and_two_alike_by_luck_do_not(tmp_path):
    speeds = (1.0, 1.01, 0.995, 1.004, 1.008, 0.998)
    found = [nulls(runs_of(tmp_path, *speeds[:count]))["m"].threshold() for count in (1, 2, 3, 6)]
    assert found == sorted(found, reverse=True)
    assert found[0] == UNSEEN.noise()
    assert found[1] > 0.05
    assert found[-1] < 0.05


def test_the_threshold_never_grows_to_absurdities(tmp_path):
    null = nulls(runs_of(tmp_path, 1.0, 0.01))["m"]
    assert null.threshold() == UNSTEADY
    answer = said(tuple(np.array([end]) for end in (9.0, 4.5, 18.0)), np.array([UNSTEADY]))
    assert answer == Answer.UNSTEADY
    wild = Scale(1, 9.0, 0.1)
    assert together([wild, wild]) == UNSTEADY


@pytest.mark.parametrize("count", [1, 3, 10, 18, 19, 20, 100])
def test_the_next_value_lies_within_as_often_as_stated(count):
    rng = np.random.default_rng(count)
    sizes = np.abs(rng.normal(0, OWN, (2000, count + 1)))
    inside = [each[0] <= next_within([each[None, 1:]]) for each in sizes]
    assert np.mean(inside) > 0.935  # 0.95, less three of its errors


# --- equal runs ---------------------------------------------------------------------------------


def test_two_runs_of_one_machine_are_its_null_test(tmp_path):
    null = nulls(runs_of(tmp_path, 1.0, 1.04))["m"]
    assert null.pairs == 10
    assert null.sources == ("m/1.json", "m/2.json")


@pytest.mark.parametrize("other", [
    {"commit_info": {"id": "f" * 16}}, {"commit_info": None}, {"software": {"torch": "2.0"}},
    {"profile": "full"}, {"status": "interrupted"},
    {"commit_info": {"id": "0123456789abcdef", "dirty": True}},
])  # fmt: skip
def test_runs_that_are_not_equal_are_not_compared(tmp_path, other):
    runs = collect([run(tmp_path, 1, [1.0] * 10), run(tmp_path, 2, [1.5] * 10, **other)])
    null = nulls(runs)["m"]
    assert (null.sources, null.pairs, null.threshold()) == ((), 0, UNSEEN.noise())


def test_a_dirty_run_is_equal_to_nothing_but_itself(tmp_path):
    dirty = {"commit_info": {"id": "0123456789abcdef", "dirty": True}}
    runs = runs_of(tmp_path, 1.0, 1.43, **dirty)
    assert nulls(runs)["m"].sources == ()
    found = compared(runs, tuple(runs.runs), nulls(runs, runs.runs))
    assert set(found.rows["verdict"]) == {"faster"}


def test_runs_that_are_compared_set_no_part_of_their_threshold(tmp_path):
    runs = runs_of(tmp_path, 1.0, 1.0, 1.0, 1.0, 1.5, 0.2)
    calm = nulls(runs, runs.runs[4:])["m"]
    assert calm.sources == tuple(f"m/{day}.json" for day in range(1, 5))
    alone = nulls(runs_of(tmp_path, 1.0, 1.0, 1.0, 1.0))["m"]
    assert calm.threshold() == alone.threshold()
    pair = collect([run(tmp_path, day, [speed] * 10) for day, speed in ((1, 1.0), (2, 5.0))])
    assert nulls(pair, pair.runs)["m"].threshold() == UNSEEN.noise()


def test_machines_are_tested_apart_and_unsound_files_not_at_all(tmp_path):
    paths = [run(tmp_path, 1, [1.0] * 10, "a"), run(tmp_path, 2, [1.1] * 10, "b")]
    bad = run(tmp_path, 3, [5.0] * 10, "b", workload=factory.workload() | {"hash": "0"})
    assert {name: null.sources for name, null in nulls(collect([*paths, bad])).items()} == {
        "a": (),
        "b": (),
    }
    assert [*nulls(collect(paths), machines=["b"])] == ["b"]


def test_a_run_without_rows_says_nothing_and_a_file_without_any_is_no_trouble(tmp_path):
    runs = collect(
        [run(tmp_path, 1, [1.0] * 10), run(tmp_path, 2, [1.0] * 10), run(tmp_path, 3, [])]
    )
    assert nulls(runs)["m"].scale("network").degrees == 1
    assert nulls(collect([run(tmp_path, 4, [])]))["m"].threshold() == UNSEEN.noise()
    only = collect([run(tmp_path, 1, [1.0] * 5), run(tmp_path, 2, [1.0] * 10)])
    assert nulls(only)["m"].pairs == 5


# --- the odd one --------------------------------------------------------------------------------


@pytest.mark.parametrize("others", [3, 4, 6, 10])
@pytest.mark.parametrize("speed", [0.2, 0.5, 1.5])
def test_one_odd_run_among_many_is_named_and_sets_no_threshold(tmp_path, others, speed):
    calm = [1 + 0.002 * (-1) ** at for at in range(others)]
    runs = runs_of(tmp_path, *calm, speed)
    null = nulls(runs)["m"]
    ((source, times, equals),) = null.odd
    assert (source, equals) == (f"m/{others + 1}.json", others)
    assert times == pytest.approx(speed, rel=0.01)
    assert null.threshold() == nulls(runs_of(tmp_path, *calm))["m"].threshold()


def test_a_run_is_odd_where_a_third_of_its_rows_are(tmp_path):
    paths = [run(tmp_path, day, [1 + 0.002 * day] * 12) for day in range(1, 6)]
    odd = run(tmp_path, 6, [1.0] * 8 + [0.2] * 4)
    null = nulls(collect([*paths, odd]))["m"]
    assert [one.source for one in null.odd] == ["m/6.json"]
    assert null.odd[0].speed == pytest.approx(0.2, rel=0.02)
    assert null.threshold() < 0.06


def test_an_odd_run_that_is_compared_is_named_all_the_same(tmp_path):
    runs = runs_of(tmp_path, *[1.0] * 6, 0.2)
    null = nulls(runs, runs.runs[-2:])["m"]
    assert [one.source for one in null.odd] == ["m/7.json"]
    assert len(null.sources) == 5


def test_of_two_runs_or_of_two_camps_nobody_is_odd(tmp_path):
    for speeds in ((1.0, 5.0), (1.0, 1.0, 5.0, 5.0)):
        null = nulls(runs_of(tmp_path, *speeds))["m"]
        assert null.odd == ()
        assert null.threshold() == UNSTEADY


@pytest.mark.parametrize("seed", range(5))
def test_a_machine_that_steps_or_wanders_has_no_odd_run(seed):
    rng = np.random.default_rng(seed)
    for levels in (0.05 * (rng.random(7) < 0.3), rng.normal(0, 0.03, 7)):
        logs = levels[:, None] + rng.normal(0, 0.01, (7, 40))
        assert scale(logs, [0] * 7)[1] == {}


# --- by our own verdict -------------------------------------------------------------------------


def test_equal_things_are_judged_by_the_runs_that_had_no_part_in_them(tmp_path):
    runs = runs_of(tmp_path, 1.0, 1.01, 0.995, 1.3)
    null = nulls(runs)["m"]
    different = 0
    for one in range(4):
        for other in range(one + 1, 4):
            sides = (runs.runs[one], runs.runs[other])
            found = compared(runs, sides, nulls(runs, sides))
            different += sum(word in ("faster", "slower") for word in found.rows["verdict"])
    assert (null.pairs, null.different) == (60, different)
    assert null.rate == different / 60


def test_sameness_has_a_ceiling_and_a_difference_beyond_doubt_is_called():
    def answer(speed, half, noise, margin=0.05):
        ends = (np.array([speed * factor]) for factor in (1, 1 / (1 + half), 1 + half))
        return Answer(
            int(said(widen(tuple(ends), np.array([noise])), np.array([noise]), margin)[0])
        )

    assert answer(0.925, 0.01, 0.18) == Answer.UNTOLD
    assert answer(1.0, 0.01, 0.18) == Answer.UNTOLD
    assert answer(1.0, 0.01, 0.03) == Answer.SAME
    assert answer(1.03, 0.01, 0.03) == Answer.UNTOLD
    assert answer(1.03, 0.01, 0.03, margin=0.1) == Answer.SAME
    assert answer(1.0, 0.08, 0.03) == Answer.UNTOLD
    assert answer(1.03, 0.005, 0.0) == Answer.BETTER
    assert answer(0.925, 0.01, 0.03) == Answer.WORSE
    assert answer(1.2, np.nan, 0.0) == Answer.TOO_FEW


def test_the_ratio_of_a_pair_is_what_two_files_say(tmp_path):
    runs = runs_of(tmp_path, 1.0, 1.04)
    null = nulls(runs)["m"]
    (speed, _, _) = ratios(tuple(null.values[:, 0]), tuple(null.values[:, 1]))
    assert np.median(speed) == pytest.approx(1.04, rel=1e-3)
