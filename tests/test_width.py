"""Wider networks: counts in closed form, an oracle of their steps, and who refuses them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import MODERN, random_digits
from zipnet import count, engines, paper
from zipnet.errors import UserError
from zipnet.params import NAMES, Params, shapes
from zipnet.recipe import AS_PRINTED, AS_PRINTED_1998, DROPOUT, FULLY_CONNECTED, KARPATHY_1989
from zipnet.reference import Reference, backward, forward, loss_of
from zipnet.verify import WIDEST, Strayed, fresh_trajectory, verify
from zipnet.widened import follow, widen


@given(st.integers(1, 512))
def test_counts_are_polynomials_of_the_width(k):
    assert paper.total("params", k) == 8160 * k**2 + 1590 * k + 10
    assert paper.total("macs", k) == 44160 * k**2 + 19500 * k
    assert paper.total("activations", k) == 990 * k + 10
    assert paper.step_macs(curvature=False, width=k) == 132480 * k**2 + 39300 * k
    assert sum(int(np.prod(shape)) for shape in shapes(k).values()) == paper.total("params", k)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_libraries_count_what_the_closed_form_says(width):
    recipe = KARPATHY_1989.at_width(width)
    found = count.counted(recipe)
    assert found.params == paper.total("params", width) == Params.init(0, recipe).count()
    assert (found.macs, found.step_macs) == (paper.total("macs", width), recipe.step_macs)


def test_width_1_is_the_network_of_1989_bit_for_bit():
    assert KARPATHY_1989.at_width(1) == KARPATHY_1989
    rng, start = np.random.Generator(np.random.PCG64(3)), Params.init(3)
    for name, fan_in in (("H1w", 25), ("H2w", 200), ("H3w", 192), ("outw", 30)):
        bound, array = 2.4 / np.sqrt(fan_in), getattr(start, name)
        drawn = rng.uniform(-bound, bound, array.shape).astype(np.float32)
        np.testing.assert_array_equal(array, drawn)


@pytest.mark.parametrize("width", [2, 5])
def test_a_wider_start_lies_in_the_bounds_of_its_fan_ins_and_can_be_copied_and_kept(
    width, tmp_path
):
    start = Params.init(1, KARPATHY_1989.at_width(width))
    assert np.abs(start.H1w).max() <= np.float32(2.4 / 5)
    for name, fan_in in (("H2w", 200), ("H3w", 192), ("outw", 30)):
        largest, bound = np.abs(getattr(start, name)).max(), 2.4 / np.sqrt(width * fan_in)
        assert 0.9 * bound < largest <= bound
    start.save(tmp_path / "start.npz")
    assert Params.load(tmp_path / "start.npz").distance(start)[1] == 0
    with pytest.raises(UserError, match=r"outw has shape \(30, 10\), expected"):
        Params.from_mapping(dict(start.items()) | {"outw": Params.init(0).outw})


def test_rates_are_divided_by_the_width():
    wide = AS_PRINTED_1998.at_width(4)
    assert wide.lr_at(0) == AS_PRINTED_1998.lr_at(0) / 4
    assert wide.lr_at(22) == AS_PRINTED_1998.lr_at(22) / 4
    assert KARPATHY_1989.at_width(8).lr_end == 0.03 / 8


@pytest.mark.parametrize("width", [0, -1, 1.5, True, "2", None])
def test_what_is_no_width_is_refused_by_name(width):
    for widened in (lambda: replace(KARPATHY_1989, width=width),
                    lambda: KARPATHY_1989.at_width(width)):  # fmt: skip
        with pytest.raises(UserError, match="recipe: width is"):
            widened()


def test_what_has_one_width_says_so():
    for recipe in (DROPOUT, FULLY_CONNECTED):
        with pytest.raises(UserError, match="has width 1 alone"):
            recipe.at_width(2)
    with pytest.raises(UserError, match="the start of 2022 has width 1"):
        Params.of_2022(KARPATHY_1989.at_width(2))
    for engine, device in (("fused", "cpu"), ("fused_cuda", "cuda")):
        with pytest.raises(engines.Unavailable):
            engines.make(engine, KARPATHY_1989.at_width(2), device)
    assert "written for width 1" in engines.why_not("fused", KARPATHY_1989.at_width(2), "cpu")


# --- the reference, and the widened network ------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_at_width_2_is_held_to_finite_differences(name):
    recipe = KARPATHY_1989.at_width(2)
    w = Reference.start(Params.init(0, recipe), recipe).weights
    x, y = random_digits(2)
    trace = forward(w, x, recipe)
    gradient = backward(w, trace, loss_of(trace.out, y, recipe)[1], recipe)[name]
    rng, array, step = np.random.default_rng(0), w[name], 1e-6
    for at in rng.integers(0, array.size, 12):
        where, losses = np.unravel_index(at, array.shape), []
        for moved in (step, -2 * step):
            array[where] += moved
            losses.append(loss_of(forward(w, x, recipe).out, y, recipe)[0])
        array[where] += step
        slope = (losses[0] - losses[1]) / (2 * step)
        assert gradient[where] == pytest.approx(slope, rel=1e-5, abs=1e-9)


ODD = replace(KARPATHY_1989, activation="relu", output="identity", loss="cross_entropy", lr=0.01)


SCHEMED = replace(KARPATHY_1989, scheme="balanced")


@pytest.mark.parametrize("recipe", [KARPATHY_1989, ODD, SCHEMED], ids=["mse", "ce", "balanced"])
@pytest.mark.parametrize(("width", "batch"), [(2, 1), (3, 4), (4, 8)])
def test_a_widened_network_learns_as_its_closed_form_says(recipe, width, batch):
    """In float64: the reference of the wide network takes the steps that width 1 foretells."""
    start, (x, y) = Params.init(5), random_digits(8)
    for _, array in start.items():
        array += np.float32(0.01)  # biases that are not 0
    wide = recipe.at_width(width)
    steps = list(zip(x.reshape(-1, batch, 1, 16, 16), y.reshape(-1, batch, 10), strict=True))
    reference = Reference.start(widen(start, width), wide)
    losses = [reference.step(*step, wide.lr) for step in steps]
    foretold, end = follow(start, wide, steps)
    np.testing.assert_allclose(losses, foretold, rtol=1e-6)
    assert reference.params().distance(widen(end, width))[1] < 1e-7
    assert reference.params().distance(widen(start, width))[1] > 1e-4


def test_widened_networks_follow_plain_sgd_alone():
    for recipe in (MODERN, AS_PRINTED):
        with pytest.raises(UserError, match="widened networks follow 'sgd'"):
            fresh_trajectory(recipe.at_width(WIDEST + 1), 0, *random_digits(2), 1)


@pytest.mark.parametrize("name", ["eager", "tuned"])
@pytest.mark.parametrize("width", [WIDEST, WIDEST + 1, 16])
def test_engines_of_any_width_are_verified_before_they_are_timed(name, width):
    recipe = KARPATHY_1989.at_width(width)
    engine = engines.make(name, recipe, "cpu", threads=1)
    path = fresh_trajectory(recipe, 0, *random_digits(4), 2)
    assert path.start.count() == paper.total("params", width)
    assert verify(engine, path).steps == 2
    path.end.H2w[-1, -1, 2, 2] += 1e-4
    with pytest.raises(Strayed, match="H2w"):
        verify(engine, path)
