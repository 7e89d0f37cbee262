"""The null test: equal things are compared, and what they differ by becomes the threshold."""

import math
from itertools import combinations

import numpy as np
import pytest

from tests import records_factory as factory
from zipnet.results.collect import collect
from zipnet.results.noise import (
    Answer,
    apart,
    apart_without,
    free,
    next_within,
    nulls,
    ranked,
    said,
    threshold,
)
from zipnet.results.statistics import ratios, widen

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


def test_two_runs_of_one_machine_say_how_far_apart_equal_things_are(tmp_path):
    runs = [run(tmp_path, 1, [1.0] * 10), run(tmp_path, 2, [1.04] * 10)]
    null = nulls(collect(runs))["m"]
    assert (null.how, null.pairs) == ("between runs", 10)
    assert null.threshold() == pytest.approx(1.04**12.7 - 1, rel=0.02)  # t of one difference
    assert null.sources == ("m/1.json", "m/2.json")


def test_the_threshold_is_the_95th_percentile_and_never_below_one_per_cent(tmp_path):
    calm = [run(tmp_path, 1, [1.0] * 60), run(tmp_path, 2, [1.0] * 58 + [1.5, 2.0])]
    null = nulls(collect(calm))["m"]
    assert null.threshold() == 0.01
    assert null.noise["network"] < 0.01
    assert null.different == 2
    assert null.rate == pytest.approx(2 / 60)


@pytest.mark.parametrize(
    "other",
    [
        {"commit_info": {"id": "f" * 16}},
        {"software": {"torch": "2.0"}},
        {"profile": "full"},
        {"status": "interrupted"},
    ],
)
def test_runs_that_are_not_equal_are_not_compared(tmp_path, other):
    runs = collect([run(tmp_path, 1, [1.0] * 10), run(tmp_path, 2, [1.5] * 10, **other)])
    null = nulls(runs)["m"]
    assert null.how == "within runs"
    assert null.pairs == 20


def test_the_very_pair_that_is_compared_sets_its_own_threshold_only_where_no_other_does(tmp_path):
    paths = [run(tmp_path, day, [speed] * 10) for day, speed in ((1, 1.0), (2, 1.0), (3, 1.5))]
    runs = collect(paths)
    assert nulls(runs, [runs.runs[0], runs.runs[2]])["m"].pairs == 20
    pair = collect(paths[::2])
    assert nulls(pair, pair.runs)["m"].pairs == 10


def test_one_run_is_compared_with_itself_first_laps_with_last(tmp_path):
    null = nulls(collect([run(tmp_path, 1, [1.0] * 12)]))["m"]
    assert (null.how, null.pairs, null.different) == ("within runs", 12, 0)
    content = factory.result("drifting", benchmarks=[])
    for at in range(8):
        row = factory.learning("sgd-queued", 900.0, 100, 1, engine=f"engine{at}")
        row["fullname"] += str(at)
        data = np.repeat([1.0, 1.0, 1.1, 1.1], EACH) * (1 + 1e-4 * np.arange(40) + 1e-7 * at)
        content["benchmarks"].append(factory.retimed(row, list(data)))
    found = collect([str(factory.write(tmp_path, content))])
    assert nulls(found)["drifting"].threshold() > 1.0  # one difference of 10% says no more


def test_a_machine_without_laps_has_no_null_test(tmp_path):
    rows = [factory.training("eager", "cpu", 1, 900)]
    found = collect([str(factory.write(tmp_path, factory.result(benchmarks=rows)))])
    assert nulls(found) == {}


def test_machines_are_tested_apart_and_unsound_files_not_at_all(tmp_path):
    runs = [run(tmp_path, 1, [1.0] * 10, "a"), run(tmp_path, 2, [1.1] * 10, "b")]
    bad = run(tmp_path, 3, [5.0] * 10, "b", workload=factory.workload() | {"hash": "0"})
    assert {name: null.how for name, null in nulls(collect([*runs, bad])).items()} == {
        "a": "within runs",
        "b": "within runs",
    }
    assert [*nulls(collect(runs), machines=["b"])] == ["b"]


@pytest.mark.parametrize("count", [1, 3, 10, 18, 19, 20, 100])
def test_the_next_value_lies_within_as_often_as_stated(count):
    rng = np.random.default_rng(count)
    sizes = np.abs(rng.standard_normal((2000, count + 1)))
    rest = sizes[:, 1:]
    within = next_within(np.full(2000, count), (rest**2).sum(axis=1), ranked(rest))
    inside = sizes[:, 0] <= within
    assert inside.mean() > 0.935  # 0.95, less three of its errors


def test_more_runs_say_it_more_finely(tmp_path):
    speeds = (1.0, 1.01, 0.995, 1.004, 1.008, 0.998)
    runs = [run(tmp_path, day, [speed] * 10) for day, speed in enumerate(speeds, start=1)]
    found = [nulls(collect(runs[:count]))["m"].threshold() for count in (2, 3, 6)]
    assert found[0] > found[1] > found[2] > 0.01


def test_what_the_rows_of_two_runs_share_is_one_difference():
    shared = [math.log(1.002)] * 40
    own = [math.log(1.002 ** (-1) ** at) for at in range(40)]
    found = apart(np.array([[shared], [own]]), ((1, 2),))
    assert found[0] == pytest.approx(1.002**12.7 - 1, rel=0.01)
    assert found[1] == pytest.approx(0.002, rel=0.01)


def test_only_what_contributes_rows_counts_as_a_free_difference(tmp_path):
    assert free(((1,), (2,))) == 2
    assert free(((1, 2), (1, 3), (2, 3))) == free(((1, 2), (2, 3))) == 2
    assert free(((1, 2), (3, 4))) == 2
    alone = apart(np.full((1, 1, 5), 0.01), ((1, 2),))
    other = [[[0.01] * 5, [np.nan] * 5]]  # a pair without rows of this kind
    assert apart(np.array(other), ((1, 2), (3, 4))) == alone
    empty = run(tmp_path, 3, [])
    assert nulls(collect([run(tmp_path, 1, [1.0] * 10), empty]))["m"].degrees == 1


@pytest.mark.parametrize(
    "pairs", [[(0,)], [(0, 1)], [(0,), (1,), (2,)], [*combinations(range(5), 2)]]
)
@pytest.mark.parametrize("rows", [3, 12, 40])
def test_the_noise_of_the_others_is_that_of_a_table_without_the_one(pairs, rows):
    rng = np.random.default_rng(rows)
    logs = rng.standard_normal((len(pairs), 1)) + rng.standard_normal((len(pairs), rows))
    logs[rng.random(logs.shape) < 0.2] = np.nan
    found = apart_without(logs, tuple(pairs))
    for at in range(rows if len(pairs) == 1 else len(pairs)):
        rest = logs.copy()
        rest[(0, at) if len(pairs) == 1 else at] = np.nan
        expected = apart(rest[None], tuple(pairs))[0]
        assert found.ravel()[at] == pytest.approx(expected, nan_ok=True)


def test_equal_things_are_judged_with_noise_that_they_had_no_part_in(tmp_path):
    speeds = (1.0, 1.01, 0.995, 1.3)
    runs = collect([run(tmp_path, day, [speed] * 10) for day, speed in enumerate(speeds, start=1)])
    null = nulls(runs)["m"]
    value, low, high, works = (runs.columns[n] for n in ("value", "low", "high", "works"))
    each = np.array([value, low, high]).reshape(3, 4, 10) / works.reshape(4, 10)
    pairs, different = list(combinations(range(4), 2)), 0
    logs = np.array([np.log(each[0, one] / each[0, other]) for one, other in pairs])
    for at, (one, other) in enumerate(pairs):
        rest = [number for number in range(len(pairs)) if number != at]
        (share,) = apart(logs[None, rest], tuple(pairs[number] for number in rest))
        speed = widen(ratios(tuple(each[:, one]), tuple(each[:, other])), share)
        different += (said(speed, threshold(share)) <= Answer.WORSE).sum()
    assert null.different == different
    assert null.pairs == 60
