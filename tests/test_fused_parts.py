"""The parts under the fused kernel: vector values, tanh, random numbers, layout, choices, peak."""

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from bench.bench_floor import READ_LEVELS, read_bytes
from zipnet import chance, cpu
from zipnet.fused import choices, functions, lanes, layout, loss, peak, random, shuffles, tiles
from zipnet.fused.choices import Choices
from zipnet.params import Params
from zipnet.recipe import Scheme


def through(function, x):
    """Apply a function of a vector value to an array, eight lanes at a time."""

    @njit
    def run(x, out):
        for i in range(0, len(x), 8):
            lanes.store(lanes.address(out) + i, function(lanes.load(lanes.address(x) + i, 8)))

    out = np.zeros(len(x), np.float32)
    run(x, out)
    return out


def test_tanh_is_right_to_a_few_units_in_the_last_place():
    wide = np.linspace(-12, 12, 1 << 16, dtype=np.float32)
    tiny = np.logspace(-30, -3, 1024, dtype=np.float32)
    found = through(functions.tanh, np.concatenate([wide, tiny]))
    assert np.abs(found[: len(wide)] - np.tanh(wide.astype(float))).max() < 3e-7
    assert (np.abs(found) <= 1).all()
    np.testing.assert_allclose(found[len(wide) :], np.tanh(tiny.astype(float)), rtol=5e-7)


def test_activations_pass_a_nan_and_hold_infinity():
    x = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1, -1, 3e38], np.float32)
    np.testing.assert_allclose(through(functions.tanh, x), np.tanh(x), atol=1e-6)
    np.testing.assert_array_equal(through(functions.relu, x), np.maximum(x, 0))


@pytest.mark.parametrize(
    ("shuffle", "expected"),
    [
        (shuffles.swapped, [1, 0, 3, 2, 5, 4, 7, 6]),
        (shuffles.interleaved, [0, 4, 1, 5, 2, 6, 3, 7]),
        (shuffles.parted, [0, 2, 4, 6, 1, 3, 5, 7]),
    ],
)
def test_shuffles_of_one_value(shuffle, expected):
    found = through(shuffle, np.arange(8, dtype=np.float32))
    np.testing.assert_array_equal(found, expected)


def test_sums_come_out_in_order():
    @njit
    def run(x, out):
        t = tiles.load_tile(lanes.address(x), 8, 8)
        total = functions.sums(t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7])
        lanes.store(lanes.address(out), total)

    x = np.arange(64, dtype=np.float32) ** 2
    out = np.zeros(8, np.float32)
    run(x, out)
    np.testing.assert_array_equal(out, x.reshape(8, 8).sum(1))


@njit
def draws_of(seed, presentation, out):
    for number in range(len(out)):
        out[number] = random.draw(seed, presentation, number)


@njit
def present_and_drop(chosen, work, image, seed, presentation):
    s = lanes.address(work)
    random.present(chosen, s, lanes.address(image), seed, presentation)
    random.drop(chosen, s, seed, presentation)


SEEDS = st.integers(0, 2**63 - 1)
PRESENTATIONS = st.integers(0, 2**50)


@given(seed=SEEDS, presentation=PRESENTATIONS)
def test_random_numbers_are_those_of_noise(seed, presentation):
    found = np.zeros(194, np.uint64)
    draws_of(seed, presentation, found)
    np.testing.assert_array_equal(found, chance.draws(seed, [presentation], np.arange(194))[0])


@given(seed=SEEDS, presentation=PRESENTATIONS)
def test_shifts_and_dropout_are_those_of_noise(seed, presentation):
    image = np.random.default_rng(0).random((16, 16), np.float32)
    work = layout.workspace()
    work[:, layout.A2 : layout.K2] = 2.0
    present_and_drop(Choices(dropout=0.25, shift=True), work, image, seed, presentation)

    # X is (row, parity of the column, column // 2), in a border of two.
    columns = work[0, layout.X : layout.A1].reshape(20, 2, 16).transpose(0, 2, 1).reshape(20, 32)
    expected = np.roll(image, chance.shifts(seed, [presentation])[0], (0, 1))
    expected = np.pad(expected, 2, constant_values=-1.0)
    np.testing.assert_array_equal(columns[:, :20], expected)

    kept = chance.kept(seed, [presentation], 0.25)[0].astype(np.float32)
    factors = kept.reshape(3, 4, 16).transpose(0, 2, 1).ravel() / np.float32(0.75)
    np.testing.assert_array_equal(work[0, layout.K2 : layout.F2], factors)
    np.testing.assert_array_equal(work[0, layout.F2 : layout.A3], 2 * factors)


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_every_place_in_the_layout_is_a_parameter_or_padding(scheme):
    sources = layout.sources(scheme)
    held, counts = np.unique(sources[sources >= 0], return_counts=True)
    np.testing.assert_array_equal(held, np.arange(9760))
    assert (counts[:300] == 2).all()  # H1w, for the two positions of a pair
    assert (counts[300:] == 1).all()
    starts = [layout.W1, layout.B1, layout.W2, layout.B2, layout.W3, layout.B3, layout.WO]
    assert all(a < b and b % 16 == 0 for a, b in pairwise([*starts, layout.BO, layout.WEIGHTS]))


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_packing_keeps_every_parameter_and_shares_none(scheme):
    params = Params.init(5)
    state = layout.pack(params, scheme=scheme)
    assert state.weights.ctypes.data % 64 == 0
    for name, found in layout.unpack(state.weights, scheme).items():
        np.testing.assert_array_equal(found, getattr(params, name))
        assert not np.shares_memory(found, state.weights)


def test_a_choice_without_an_implementation_does_not_compile():
    x = np.zeros(8, np.float32)
    with pytest.raises(KeyError, match="gelu"):
        njit(lambda c, x: functions.activate(c, lanes.load(lanes.address(x), 8)) is None)(
            Choices(activation="gelu"), x
        )
    with pytest.raises(KeyError, match="hinge"):
        njit(lambda c, x: loss.judge(c, lanes.address(x), np.float32(1))[0])(
            Choices(loss="hinge"), x
        )


def test_the_cache_knows_the_choices_and_the_source():
    one, other = (choices._type(c) for c in (Choices(), Choices(activation="relu")))
    assert one.name != other.name
    assert choices.source_digest() in one.name


@pytest.mark.parametrize("width", peak.WIDTHS)
def test_the_peak_counts_what_it_did(width):
    assert peak.multiply_adds(10, width=width) == 10 * 12 * width
    assert peak.multiply_adds(10, threads=3, width=width) == 30 * 12 * width


@pytest.mark.parametrize("threads", [1, 3])
def test_reading_counts_what_it_read(threads):
    arrays = peak.written(10_000, threads)
    assert [array.nbytes for array in arrays] == [22 * 448] * threads  # whole strides, no more
    assert peak.read(arrays, 5) == 5 * threads * 22 * 448


def test_reading_reads_everything():
    (array,), sums = peak.written(10_000, 1), np.empty(112, np.float32)
    array[:] = np.arange(array.size)
    peak._read(array, sums, 3)
    assert sums.tolist() == (3 * array.reshape(-1, 112).sum(axis=0)).tolist()


@pytest.mark.parametrize(
    ("caches", "threads", "expected"),
    [
        ({1: (2**15, 1), 2: (2**19, 1), 3: (2**23, 2)}, 2, (2**14, 2**18, 2**21, 2**26)),
        ({1: (2**15, 2), 2: (2**20, 2), 3: (55 * 2**20, 40)}, 40, (2**13, 2**18, 720_896, None)),
        ({1: (2**17, 1), 2: (12 * 2**20, 4)}, 4, (2**16, 3 * 2**19, 0, 2**25)),
        ({1: (2**15, 1), 2: (2**20, 1), 3: (2**21, 2)}, 2, (2**14, 2**19, 0, 2**26)),
    ],
    ids=["desk", "server", "without a third", "a third no larger than the second"],
)
def test_each_level_is_read_from_half_of_a_threads_part(monkeypatch, caches, threads, expected):
    monkeypatch.setattr(cpu, "caches", lambda: caches)
    monkeypatch.setattr(cpu, "cores", lambda: threads)
    for level, size in zip(READ_LEVELS.values(), expected, strict=True):
        if size is not None:
            assert read_bytes(level, threads) == size
    last, _ = caches[max(caches)]
    assert read_bytes(4, threads) * threads + threads > 4 * last
