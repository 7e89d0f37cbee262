"""Medians and intervals against scipy, against published values, and against their own promise."""

import random
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, quantile_test, ttest_1samp

from bench.report.statistics.stats import (
    Estimate,
    estimate,
    geometric_mean,
    interval_rank,
    lap_spread,
    ratio,
    widened,
)
from bench.report.statistics.timings import FEWEST_ROUNDS, Timings
from bench.report.verdicts.verdict import FLOOR, Verdict, judge, threshold

TIMINGS = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=200)


def test_the_rank_is_the_largest_that_keeps_the_confidence():
    for rounds in [*range(FEWEST_ROUNDS, 300), 1000, 2000, 9999]:
        rank = interval_rank(rounds)
        assert 1 - 2 * binom.cdf(rank, rounds, 0.5) >= 0.95
        assert 1 - 2 * binom.cdf(rank + 1, rounds, 0.5) < 0.95


@pytest.mark.parametrize("rounds", range(1, FEWEST_ROUNDS))
def test_too_few_rounds_have_no_interval(rounds):
    assert interval_rank(rounds) is None
    assert 1 - 2 * binom.cdf(0, rounds, 0.5) < 0.95


# Conover, Practical Nonparametric Statistics: ranks counted from 1, so one more than ours.
@pytest.mark.parametrize(("rounds", "rank"), [(6, 1), (8, 1), (9, 2), (10, 2), (20, 6), (25, 8)])
def test_ranks_of_the_printed_tables(rounds, rank):
    assert interval_rank(rounds) == rank - 1


@pytest.mark.parametrize("rounds", [6, 7, 15, 30, 101])
def test_the_interval_is_scipys(rounds):
    data = random.Random(rounds).sample(range(1, 1000), rounds)
    rank, ordered = interval_rank(rounds), sorted(data)
    ours = Estimate(statistics.median(data), ordered[rank], ordered[-1 - rank])
    theirs = quantile_test(data, p=0.5, alternative="two-sided").confidence_interval(0.95)
    assert (ours.low, ours.high) == (theirs.low, theirs.high)


def test_the_interval_covers_the_median_as_often_as_it_says():
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(2000):
        found = estimate(Timings(rng.lognormal(size=25).tolist()))
        hits += found.low <= 1.0 <= found.high  # 1 is the median of exp(normal)
    assert hits / 2000 > 0.94


@given(TIMINGS)
def test_the_median_lies_within_its_interval_and_the_interval_within_the_data(data):
    found = estimate(Timings(data))
    assert found.median == statistics.median(data)
    if found.low is not None:
        assert found.low <= found.median <= found.high
    else:
        assert len(data) < FEWEST_ROUNDS


def test_laps_that_lie_apart_widen_the_interval():
    calm = [1.0, 1.01, 0.99] * 4
    drifting = [t * (1 + 0.1 * lap) for lap in range(4) for t in calm]
    narrow, wide = estimate(Timings(calm * 4, [12] * 4)), estimate(Timings(drifting, [12] * 4))
    assert narrow.high / narrow.low < 1.03
    assert wide.low < 1.0 < 1.3 < wide.high


def test_a_row_measured_in_one_go_is_cut_into_parts():
    data = [1.0] * 30 + [2.0] * 30
    assert Timings(data).lap_medians == Timings(data, [60]).lap_medians == (1, 1, 1.5, 2, 2)
    assert Timings(data, [30, 20, 10]).lap_medians == (1.0, 2.0, 2.0)
    assert Timings([1.0] * 5).lap_medians == ()


def test_the_spread_of_laps_is_students():
    logs = np.array([0.1, 0.14, 0.2, 0.17])
    low, high = ttest_1samp(logs, 0).confidence_interval(0.95)
    assert lap_spread(np.exp(logs).tolist()) == pytest.approx((high - low) / 2)


def test_the_interval_of_a_ratio_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(1000):
        one = estimate(Timings((3 * rng.lognormal(sigma=0.05, size=40)).tolist(), [10] * 4))
        other = estimate(Timings((2 * rng.lognormal(sigma=0.1, size=60)).tolist(), [20] * 3))
        found = ratio(one, other)
        hits += found.low <= 1.5 <= found.high
    assert hits / 1000 > 0.95


@given(TIMINGS, TIMINGS)
def test_a_ratio_turned_over_is_the_ratio_the_other_way(one, other):
    left, right = estimate(Timings(one)), estimate(Timings(other))
    there, back = ratio(left, right), ratio(right, left)
    assert there.median == pytest.approx(1 / back.median)
    if there.low is not None:
        assert there.low == pytest.approx(1 / back.high)
        assert there.low <= there.median <= there.high


def test_a_ratio_to_nothing_is_none():
    assert ratio(Estimate(1.0, 1.0, 1.0), Estimate(0.0, 0.0, 0.0)) is None
    assert ratio(Estimate(2.0, 1.0, 3.0), Estimate(1.0, None, None)) == Estimate(2.0, None, None)


def test_the_geometric_mean_of_rows_that_share_a_run_is_no_surer_than_each():
    found = geometric_mean([Estimate(2.0, 1.8, 2.2)] * 4)
    assert found.median == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx((1.8, 2.2))
    assert geometric_mean([Estimate(4.0, None, None), Estimate(1.0, 1.0, 1.0)]).low is None


def test_a_rate_turns_the_interval_round():
    assert Estimate(2.0, 1.0, 4.0).rate(8) == Estimate(4.0, 2.0, 8.0)
    assert Estimate(2.0, None, None).rate(8) == Estimate(4.0, None, None)
    assert Estimate(0.0, 0.0, 0.0).rate(8) is None
    assert Estimate(1.0, 0.0, 2.0).rate(8) == Estimate(8.0, 4.0, None)


def test_scaling_keeps_what_is_not_known_unknown():
    assert Estimate(2.0, 1.0, 4.0).scaled(10) == Estimate(20.0, 10.0, 40.0)
    assert Estimate(2.0, None, None).scaled(10) == Estimate(20.0, None, None)


def test_an_interval_is_widened_to_a_share_and_never_narrowed():
    assert widened(Estimate(2.0, 1.9, 2.1), 0.25) == Estimate(2.0, 1.6, 2.5)
    assert widened(Estimate(2.0, 1.0, 4.0), 0.25) == Estimate(2.0, 1.0, 4.0)
    assert widened(Estimate(2.0, None, None), 0.25) == Estimate(2.0, None, None)


# --- verdicts -----------------------------------------------------------------------------------

JUDGED = [
    ((1.5, 1.4, 1.6), 0.05, "faster", "the interval lies above 1"),
    ((0.7, 0.6, 0.8), 0.05, "slower", "the interval lies below 1"),
    ((1.0, 0.99, 1.02), 0.05, "same", "differs by less than 10%"),
    ((1.03, 1.02, 1.12), 0.05, "unclear", "a difference, but equal things differ by up to 5.0%"),
    ((1.2, 0.9, 1.5), 0.05, "unclear", "the interval holds 1 and ends beyond 10%"),
    ((1.002, 0.98, 1.003), 0.01, "unclear", "the interval holds 1 and ends beyond 1.0%"),
    ((1.02, 1.015, 1.03), 0.01, "faster", "differences below 1.0% are not called"),
    ((1.01, 0.96, 1.06), 0.05, "same", "differs by less than 10%"),  # as wide as the noise
    ((1.2, None, None), 0.05, "unclear", "too few rounds for an interval"),
]


@pytest.mark.parametrize(("speed", "threshold", "word", "reason"), JUDGED)
def test_a_verdict_needs_the_interval_and_the_threshold(speed, threshold, word, reason):
    verdict = judge(Estimate(*speed), threshold)
    assert verdict.word == word
    assert reason in verdict.reason


@pytest.mark.parametrize(("speed", "threshold", "word", "reason"), JUDGED)
def test_the_other_way_round_the_verdict_turns_round(speed, threshold, word, reason):
    turned = {"faster": "slower", "slower": "faster"}
    median, low, high = speed
    back = Estimate(1 / median, high and 1 / high, low and 1 / low)
    assert judge(back, threshold).word == turned.get(word, word)


def test_a_doubt_forbids_any_verdict():
    verdict = judge(Estimate(2.0, 1.9, 2.1), 0.01, ["A: another process used 1.8 cores"])
    assert verdict == Verdict("unclear", "A: another process used 1.8 cores")


def test_the_threshold_has_a_floor():
    assert threshold(0.002) == FLOOR
    assert threshold(0.2) == 0.2
