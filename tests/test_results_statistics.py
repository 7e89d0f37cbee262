"""Medians and intervals against scipy, against published values, and against their own promise."""

import json
import random
import statistics
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import chdtri, stdtrit
from scipy.stats import binom, kruskal, quantile_test, ttest_1samp

from tests.commands import ROOT
from zipnet.results.noise import FLOOR, MARGIN, said, threshold
from zipnet.results.schema import FEWEST_ROUNDS
from zipnet.results.statistics import (
    CHI_SQUARE,
    CONFIDENCE,
    STUDENT,
    SURE,
    Estimate,
    Ragged,
    Rounds,
    chi_square,
    differ,
    geometric_mean,
    interval_rank,
    kruskal_wallis,
    lap_spread,
    ratios,
    student,
    summary,
    widen,
)
from zipnet.results.units import percent, quantity, significant
from zipnet.results.verdict import MORE, needed, reason, word

TIMINGS = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=200)


def of_rows(*rows, laps=None):
    """The summary of rows of timings, and of each what its laps are: one, where it is not said."""
    values = [np.asarray(row, float) for row in rows]
    return summary(Rounds(values, laps or [(len(row),) for row in values]))


def estimate(row, laps=None):
    found = of_rows(row, laps=laps and [tuple(laps)])
    return Estimate.of(*(found[name][0] for name in ("value", "low", "high")))


def ragged(*rows):
    return Ragged(np.concatenate([np.asarray(row, float) for row in rows]),
                  np.array([len(row) for row in rows]))  # fmt: skip


def interval(*estimates):
    return tuple(np.array(estimates, float).T)


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
    found = of_rows(*rng.lognormal(size=(2000, 25)))
    hits = (found["low"] <= 1.0) & (found["high"] >= 1.0)  # 1 is the median of exp(normal)
    assert hits.mean() > 0.94


@given(TIMINGS)
def test_the_median_lies_within_its_interval_and_the_interval_within_the_data(data):
    found = estimate(data)
    assert found.median == statistics.median(data)
    if found.low is not None:
        assert found.low <= found.median <= found.high
    else:
        assert len(data) < FEWEST_ROUNDS


def test_laps_that_lie_apart_widen_the_interval():
    calm = [1.0, 1.01, 0.99] * 4
    drifting = [t * (1 + 0.1 * lap) for lap in range(4) for t in calm]
    narrow, wide = estimate(calm * 4, [12] * 4), estimate(drifting, [12] * 4)
    assert narrow.high / narrow.low < 1.03
    assert wide.low < 1.0 < 1.3 < wide.high


def test_a_row_measured_in_one_go_is_cut_into_parts():
    data = [1.0] * 30 + [2.0] * 30
    laps = [(60,), (30, 30), (30, 20, 10), (5,), (15,) * 4]
    rows = [data, data, data, [1.0] * 5, data]
    medians = Rounds([np.array(row) for row in rows], laps).lap_medians
    assert medians.sizes.tolist() == [5, 5, 3, 0, 4]
    fifths = [1, 1, 1.5, 2, 2]
    assert medians.flat.tolist() == [*fifths, *fifths, 1, 2, 2, 1, 1, 2, 2]


def test_the_spread_of_laps_is_students():
    logs = np.array([0.1, 0.14, 0.2, 0.17])
    low, high = ttest_1samp(logs, 0).confidence_interval(0.95)
    found = lap_spread(ragged(np.exp(logs), [1.0, 2.0], [0.0, 1.0, 2.0]))
    assert found == pytest.approx([(high - low) / 2, 0, 0])  # too few laps, and one of no time


@given(st.lists(TIMINGS, min_size=1, max_size=20))
def test_what_a_row_comes_to_does_not_depend_on_the_rows_beside_it(rows):
    together, alone = of_rows(*rows), [of_rows(row) for row in rows]
    for name, column in together.items():
        np.testing.assert_array_equal(column, [one[name][0] for one in alone])


def test_no_rows_come_to_nothing():
    assert {name: len(column) for name, column in of_rows().items()} == dict.fromkeys(
        ["rounds", "value", "low", "high", "fingerprint"], 0
    )


@given(st.lists(TIMINGS, min_size=1, max_size=8), st.lists(st.floats(0, 1e3), min_size=1))
def test_the_order_statistics_of_many_rows_are_numpys(rows, limits):
    found = ragged(*rows)
    for share in (0.0, 0.3, 0.5, 1.0):
        quantiles = [np.quantile(row, share) for row in rows]
        assert found.at(share * (found.sizes - 1)) == pytest.approx(quantiles)
    below = found.below(np.array(limits)[:, None] * np.ones(len(rows)))
    assert below.tolist() == [[sum(v < limit for v in row) for row in rows] for limit in limits]
    backwards = found.take(np.arange(len(rows))[::-1])
    assert backwards.medians.tolist() == found.medians[::-1].tolist()
    assert backwards.sums(backwards.flat) == pytest.approx([sum(row) for row in rows[::-1]])


@given(TIMINGS.filter(lambda data: len(data) >= 5), st.data())
def test_a_fingerprint_tells_timings_in_their_order_from_all_others(data, more):
    other = more.draw(st.permutations(data)) + more.draw(st.lists(st.just(1.0), max_size=1))
    one, two = of_rows(data, other)["fingerprint"]
    assert (one == two) == (data == other)


def test_too_few_timings_and_those_of_no_time_have_no_fingerprint():
    assert of_rows([1.0, 2.0, 3.0, 4.0], [0.0] * 30)["fingerprint"].tolist() == [0, 0]


def test_the_tables_of_quantiles_are_scipys():
    degrees = np.arange(1, 60)
    expected = stdtrit(degrees, 0.5 + CONFIDENCE / 2)
    assert pytest.approx(expected[: len(STUDENT)], rel=1e-12) == STUDENT
    assert [student(n) for n in degrees] == pytest.approx(expected, rel=1e-12)
    expected = chdtri(degrees, SURE)
    assert pytest.approx(expected[: len(CHI_SQUARE)], rel=1e-12) == CHI_SQUARE
    assert [chi_square(n) for n in degrees] == pytest.approx(expected, rel=1e-12)


def test_neither_scipy_nor_pandas_is_loaded_for_rows_of_usual_length():
    code = (
        "import json, sys, numpy as np; from zipnet.results import check, quality, statistics as s;"
        "r = s.Rounds([np.arange(1.0, 41.0)] * 2, [(10,) * 4, (40,)]); s.summary(r);"
        "quality.doubts(r, [[], []]);"
        "print(json.dumps([m for m in ('scipy', 'pandas') if m in sys.modules]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert json.loads(ran.stdout) == []


def test_the_test_of_ranks_is_scipys():
    rng = random.Random(5)
    sizes = [(9, 17, 30), (5, 7), (1, 40), (6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6)]
    rows = [[rng.randrange(20) for _ in range(sum(of))] for of in sizes]
    expected = [
        kruskal(*np.split(row, np.cumsum(of)[:-1]))
        for row, of in zip(rows, sizes, strict=True)
    ]  # fmt: skip
    found = kruskal_wallis(ragged(*rows), sizes)
    assert found == pytest.approx([one.statistic for one in expected])
    decided = differ(ragged(*rows, [1.0] * 12, range(40)), [*sizes, (5, 7), (20, 20)])
    assert decided.tolist() == [*(one.pvalue < SURE for one in expected), False, True]


def test_the_interval_of_a_ratio_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(11)
    ones = of_rows(*3 * rng.lognormal(sigma=0.05, size=(1000, 40)), laps=[(10,) * 4] * 1000)
    others = of_rows(*2 * rng.lognormal(sigma=0.1, size=(1000, 60)), laps=[(20,) * 3] * 1000)
    sides = (tuple(of[name] for name in ("value", "low", "high")) for of in (ones, others))
    _, low, high = ratios(*sides)
    assert np.mean((low <= 1.5) & (high >= 1.5)) > 0.95


@given(TIMINGS, TIMINGS)
def test_a_ratio_turned_over_is_the_ratio_the_other_way(one, other):
    left, right = interval(estimate(one)), interval(estimate(other))
    (there, low, high), (back, back_low, back_high) = ratios(left, right), ratios(right, left)
    assert there == pytest.approx(1 / back)
    assert low == pytest.approx(1 / back_high, nan_ok=True)
    assert high == pytest.approx(1 / back_low, nan_ok=True)
    assert np.isnan(low) == np.isnan(high)
    assert not low > there
    assert not high < there


def test_a_ratio_to_nothing_is_none():
    above = interval((1, 1, 1), (2, 1, 3), (2, 1, 3), (0, 0, 0))
    below = interval((0, 0, 0), (1, None, None), (1, 0, 2), (1, 1, 1))
    found, low, high = ratios(above, below)
    assert found == pytest.approx([np.nan, 2, 2, np.nan], nan_ok=True)
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert Estimate.of(2.0, np.nan, np.nan) == (2.0, None, None)


def test_the_geometric_mean_of_rows_that_share_a_run_is_no_surer_than_each():
    found = geometric_mean(tuple(np.full(4, end) for end in (2.0, 1.8, 2.2)))
    assert found.median == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx((1.8, 2.2))
    without = tuple(np.array([[4.0, 1.0], [np.nan, 1.0], [np.nan, 1.0]]))
    assert geometric_mean(without) == (2.0, None, None)


def test_an_interval_is_widened_to_a_share_and_never_narrowed():
    speeds = interval((2, 1.9, 2.1), (2, 1, 4), (2, None, None))
    middle, low, high = widen(speeds, 0.25)
    assert middle.tolist() == [2, 2, 2]
    assert low == pytest.approx([1.6, 1, np.nan], nan_ok=True)
    assert high == pytest.approx([2.5, 4, np.nan], nan_ok=True)
    assert widen(speeds, np.array([0.0, 1.0, 1.0]))[2] == pytest.approx([2.1, 4, np.nan],
                                                                      nan_ok=True)  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (significant(1234.5), "1,230"),
        (significant(0), "0"),
        (significant(1e-12), "1.00e-12"),
        (percent(0.1234), "12%"),
        (percent(0.005), "0.50%"),
        (quantity(12_500_000), "12.5 M"),
        (quantity(1.07e11), "107 G"),
        (quantity(54_321), "54.3 k"),
        (quantity(999), "999"),
    ],
)
def test_numbers_are_shown_with_the_digits_they_deserve(shown, text):
    assert shown == text


# --- verdicts -----------------------------------------------------------------------------------

JUDGED = [
    ((1.5, 1.4, 1.6), 0.05, "faster", "the interval lies above 1"),
    ((0.7, 0.6, 0.8), 0.05, "slower", "the interval lies below 1"),
    ((1.0, 0.99, 1.02), 0.03, "same", "differs by less than 5.0%"),
    ((1.0, 0.99, 1.06), 0.03, "unclear", "too wide; about 2 times as many rounds would tell"),
    ((1.03, 1.02, 1.12), 0.05, "unclear", "by up to 5.0% here, and more runs cannot tell"),
    ((1.2, 0.9, 1.5), 0.05, "unclear", "too wide; about 5 times as many rounds would tell"),
    ((1.002, 0.94, 1.003), 0.01, "unclear", "the interval is too wide; about 2 times"),
    ((1.02, 1.015, 1.03), 0.01, "faster", "differences below 1.0% are not called"),
    ((1.0, 0.971, 1.03), 0.03, "same", "differs by less than 5.0%"),  # as wide as the noise
    ((9.0, 4.5, 18.0), 1.0, "unclear", "too unsteady to tell"),
    ((1.2, None, None), 0.05, "unclear", "too few rounds for an interval"),
]


def judged(speed, noise):
    (what,), noises = said(interval(speed), noise), np.full((len(MORE), 1), noise)
    (runs,), (longer,) = needed(interval(speed), noises, MARGIN)
    return word(int(what)), reason(int(what), noise, MARGIN, runs, longer)


@pytest.mark.parametrize(("speed", "threshold", "called", "why"), JUDGED)
def test_a_verdict_needs_the_interval_and_the_threshold(speed, threshold, called, why):
    found, told = judged(speed, threshold)
    assert found == called
    assert why in told


@pytest.mark.parametrize(("speed", "threshold", "called", "why"), JUDGED)
def test_the_other_way_round_the_verdict_turns_round(speed, threshold, called, why):
    turned = {"faster": "slower", "slower": "faster"}
    median, low, high = speed
    back = (1 / median, high and 1 / high, low and 1 / low)
    assert judged(back, threshold)[0] == turned.get(called, called)


def test_the_threshold_has_a_floor():
    assert threshold(0.002) == FLOOR
    assert threshold(0.2) == 0.2
