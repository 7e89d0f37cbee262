"""Medians and intervals against scipy, against published values, and against their own promise."""

import random
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, quantile_test

from bench.report.stats import FEWEST_ROUNDS, Estimate, estimate, interval_rank

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
    data = random.Random(rounds).sample(range(1000), rounds)
    ours = estimate(data)
    theirs = quantile_test(data, p=0.5, alternative="two-sided").confidence_interval(0.95)
    assert (ours.low, ours.high) == (theirs.low, theirs.high)


def test_the_interval_covers_the_median_as_often_as_it_says():
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(2000):
        found = estimate(rng.lognormal(size=25).tolist())
        hits += found.low <= 1.0 <= found.high  # 1 is the median of exp(normal)
    assert hits / 2000 > 0.94


@given(TIMINGS)
def test_the_median_lies_within_its_interval_and_the_interval_within_the_data(data):
    found = estimate(data)
    assert found.median == statistics.median(data)
    if found.low is not None:
        assert min(data) <= found.low <= found.median <= found.high <= max(data)
    else:
        assert len(data) < FEWEST_ROUNDS


@given(TIMINGS)
def test_the_order_of_the_rounds_does_not_matter(data):
    assert estimate(data) == estimate(sorted(data, reverse=True))


def test_a_rate_turns_the_interval_round():
    assert Estimate(2.0, 1.0, 4.0).rate(8) == Estimate(4.0, 2.0, 8.0)
    assert Estimate(2.0, None, None).rate(8) == Estimate(4.0, None, None)
    assert Estimate(0.0, 0.0, 0.0).rate(8) is None
    assert Estimate(1.0, 0.0, 2.0).rate(8) == Estimate(8.0, 4.0, None)


def test_scaling_keeps_what_is_not_known_unknown():
    assert Estimate(2.0, 1.0, 4.0).scaled(10) == Estimate(20.0, 10.0, 40.0)
    assert Estimate(2.0, None, None).scaled(10) == Estimate(20.0, None, None)
