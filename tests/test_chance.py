"""The random numbers of a training: a function with known values, fair in what it decides."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zipnet import chance

WORD = 2**64 - 1
SEEDS = st.integers(0, WORD)


def mixed(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
    return z ^ (z >> 31)


def splitmix64(state):
    """The generator as published, in Python's integers."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & WORD
        yield mixed(state)


def test_splitmix64_gives_its_known_values():
    """The values that implementations of splitmix64 in other languages are checked with."""
    assert list(islice(splitmix64(1234567), 5)) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@given(seed=SEEDS, presentation=st.integers(0, 3))
def test_draws_are_the_upper_halves_of_a_stream_that_the_seed_starts(seed, presentation):
    stream = islice(splitmix64(mixed(seed)), 256 * presentation, 256 * presentation + 194)
    found = chance.draws(seed, [presentation], np.arange(194))[0]
    assert found.tolist() == [value >> 32 for value in stream]


@given(seed=SEEDS, order=st.permutations(range(12)), cut=st.integers(0, 12))
def test_numbers_do_not_depend_on_order_or_on_splits(seed, order, cut):
    order = np.array(order) + 2**40
    for draw in (chance.shifts, lambda seed, numbers: chance.kept(seed, numbers, 0.25)):
        sorted_rows = draw(seed, np.sort(order))
        np.testing.assert_array_equal(draw(seed, order), sorted_rows[order - 2**40])
        parts = [draw(seed, part) for part in (order[:cut], order[cut:])]
        np.testing.assert_array_equal(np.concatenate(parts), sorted_rows[order - 2**40])


def test_seeds_and_presentations_draw_apart():
    rows = np.concatenate([chance.kept(seed, np.arange(50), 0.5) for seed in range(20)])
    assert len(np.unique(rows.reshape(1000, -1), axis=0)) == 1000


def test_the_nine_shifts_are_equally_frequent():
    moves = chance.shifts(3, np.arange(90_000))
    places, counts = np.unique(moves, axis=0, return_counts=True)
    assert places.tolist() == [[down, right] for down in (-1, 0, 1) for right in (-1, 0, 1)]
    # 10,000 expected with a standard deviation of 94: five of them.
    assert np.abs(counts - 10_000).max() < 470


@pytest.mark.parametrize("dropout", [0.1, 0.25, 0.5, 0.9])
def test_dropout_takes_its_share_of_every_unit(dropout):
    kept = chance.kept(9, np.arange(5000), dropout)
    assert kept.shape == (5000, 12, 4, 4)
    deviation = np.sqrt(dropout * (1 - dropout))
    assert abs(kept.mean() - (1 - dropout)) < 5 * deviation / np.sqrt(kept.size)
    assert np.abs(kept.mean(0) - (1 - dropout)).max() < 5 * deviation / np.sqrt(5000)


def test_units_are_dropped_independently_of_each_other():
    kept = chance.kept(4, np.arange(5000), 0.5).reshape(5000, -1)
    correlation = np.corrcoef(kept, rowvar=False) - np.eye(192)
    # 18,336 pairs with a standard deviation of 0.014: six of them.
    assert np.abs(correlation).max() < 6 / np.sqrt(5000)


def test_no_dropout_keeps_everything():
    assert chance.kept(0, np.arange(100), 0.0).all()
