"""The fused kernel beyond the laws of engines: every choice, large batches, threads."""

from dataclasses import fields, replace

import numpy as np
import psutil
import pytest

from tests.conftest import random_digits
from zipnet import paper
from zipnet.engines.base import as_steps
from zipnet.engines.fused import Fused
from zipnet.fused import layout, steps
from zipnet.fused.choices import Choices
from zipnet.params import Params
from zipnet.recipe import AS_PRINTED, KARPATHY_1989
from zipnet.reference import Reference

SEED = 12345
# Each costs a compilation of several seconds, so these are few: every value of every choice is
# among them, alone or with few others, and MODERN differs from PAPER in all.
PAPER = KARPATHY_1989
LINEAR = replace(PAPER, name="linear", activation="relu", output="identity", lr=0.01)
DRAWING = replace(PAPER, name="drawing", loss="cross_entropy", dropout=0.25, shift=True)
DECAYING = replace(PAPER, name="decaying", optimizer="adamw", lr=3e-4, weight_decay=0.1)
MODERN = replace(
    DECAYING,
    name="modern",
    activation="relu",
    output="identity",
    loss="cross_entropy",
    dropout=0.25,
    shift=True,
)
NEWTON = replace(AS_PRINTED, name="newton", dropout=0.25, shift=True)
RECIPES = [PAPER, LINEAR, DRAWING, DECAYING, MODERN, NEWTON]


def chosen(recipe):
    names = (field.name for field in fields(Choices) if field.name != "curved")
    return Choices(**{name: getattr(recipe, name) for name in names})


def digits(count, batch):
    """x (count, batch, 1, 16, 16) and y (count, batch, 10)."""
    return as_steps(*random_digits(count * batch), batch)


def learn(state, x, y, recipe, **more):
    more |= {"weight_decay": recipe.weight_decay, "gamma": recipe.gamma}
    return steps.run(state, x, y, recipe.lr, chosen(recipe), **more)


def follow(recipe, batch, count, threads, start, losses_within, params_within):
    """Take steps with the engine and the reference; hold the one to the other."""
    x, y = random_digits(batch * count)
    engine = Fused(recipe, "cpu", threads)
    engine.load(start, SEED)
    losses = engine.run(engine.place(x, y, batch))
    reference = Reference.start(start, recipe, SEED)
    expected = [
        reference.step(*step, recipe.lr) for step in zip(*as_steps(x, y, batch), strict=True)
    ]
    np.testing.assert_allclose(losses, expected, rtol=losses_within, atol=losses_within)
    assert engine.params().distance(reference.params())[1] < params_within


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: r.name)
def test_every_choice_follows_the_reference(recipe, batch, start):
    follow(recipe, batch, 30, 1, start, losses_within=1e-5, params_within=3e-6)


@pytest.mark.parametrize("batch", [1, 3, 300])
def test_sigma_follows_the_reference_in_every_array(batch, start):
    """Beside mu the curvature of H1 is small at the start: parameters alone would hide it."""
    x, y = random_digits(6 * batch)
    engine, reference = Fused(NEWTON, "cpu", 2), Reference.start(start, NEWTON, SEED)
    engine.load(start, SEED)
    engine.run(engine.place(x, y, batch))
    for step in zip(*as_steps(x, y, batch), strict=True):
        reference.step(*step, NEWTON.lr)
    for name, found in layout.unpack(engine._state.first).items():
        assert found.any()
        np.testing.assert_allclose(
            found, reference.sigma[name], rtol=1e-4, atol=1e-6 * found.max(), err_msg=name
        )


@pytest.mark.parametrize(
    ("recipe", "batch", "count"),
    [(PAPER, 300, 3), (DRAWING, 300, 3), (DRAWING, paper.TRAIN_DIGITS, 1)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_large_batches_follow_the_reference(recipe, batch, count, start):
    """Several chunks to a batch, the last one short; the whole training set as one batch."""
    follow(recipe, batch, count, 2, start, losses_within=1e-6, params_within=5e-7)


@pytest.mark.parametrize("recipe", [PAPER, MODERN], ids=lambda r: r.name)
def test_answers_follow_the_reference_and_draw_nothing(recipe, start):
    x, _ = random_digits(300)  # more than one thread takes at a time
    found = steps.predict(layout.pack(start, SEED), x, chosen(recipe), threads=2)
    np.testing.assert_allclose(found, Reference.start(start, recipe).predict(x), atol=3e-6)


@pytest.mark.parametrize("batch", [1, 500, paper.TRAIN_DIGITS])
@pytest.mark.parametrize("recipe", [PAPER, DRAWING, DECAYING, NEWTON], ids=lambda r: r.name)
def test_a_run_is_the_same_bit_for_bit_on_any_number_of_threads(recipe, batch, start):
    x, y = digits(2, batch)
    runs = []
    for threads in (1, 2, 3, 2):
        state = layout.pack(start, SEED)
        losses = learn(state, x, y, recipe, threads=threads)
        answers = steps.predict(state, x[0], chosen(recipe), threads)
        runs.append((losses, state.weights, state.first, answers))
    for run in runs[1:]:
        for found, expected in zip(run, runs[0], strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("recipe", [DRAWING, MODERN, NEWTON], ids=lambda r: r.name)
def test_two_halves_draw_and_remember_what_the_whole_does(recipe, batch, start):
    x, y = digits(10, batch)
    whole, halves = layout.pack(start, SEED), layout.pack(start, SEED)
    losses = learn(whole, x, y, recipe)
    parts = [learn(halves, x[s], y[s], recipe) for s in (slice(4), slice(4, None))]
    np.testing.assert_array_equal(np.concatenate(parts), losses)
    for name in ("weights", "first", "second"):
        np.testing.assert_array_equal(getattr(halves, name), getattr(whole, name))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("recipe", [PAPER, LINEAR], ids=lambda r: r.name)
def test_what_is_not_finite_in_the_input_shows(recipe, batch, value, start):
    """Engines refuse such digits; the kernel, asked directly, must not hide them."""
    x, y = digits(3, batch)
    x = x.copy()
    x[1, 0, 0, 3, 5] = value
    state = layout.pack(start)
    losses = learn(state, x, y, recipe)
    assert np.isfinite(losses[0])
    assert not np.isfinite(losses[2])
    assert not state.finite()
    if np.isnan(value):
        assert np.isnan(losses[1:]).all()


@pytest.mark.parametrize("recipe", [PAPER, MODERN], ids=lambda r: r.name)
def test_a_nan_reaches_every_answer_of_its_image_and_no_other(recipe, start):
    x, _ = random_digits(20)
    expected = steps.predict(layout.pack(start), x, chosen(recipe))
    x[11, 0, 3, 5] = expected[11] = np.nan
    found = steps.predict(layout.pack(start), x, chosen(recipe))
    np.testing.assert_array_equal(found, expected)


def test_divergence_shows(start):
    state = layout.pack(start)
    losses = learn(state, *digits(200, 1), replace(LINEAR, lr=30.0))
    assert not np.isfinite(losses[-1])
    assert not state.finite()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: r.name)
def test_padding_stays_zero_and_copies_stay_equal(recipe, start):
    state = layout.pack(start, SEED)
    learn(state, *digits(20, 3), recipe)
    again = layout.pack(Params.from_mapping(layout.unpack(state.weights)))
    np.testing.assert_array_equal(again.weights, state.weights)


def test_no_array_of_the_caller_is_changed_or_kept(start):
    x, y = digits(5, 1)
    for array in (x, y, *(array for _, array in start.items())):
        array.flags.writeable = False
    state = layout.pack(start)
    learn(state, x, y, PAPER)
    for name, array in layout.unpack(state.weights).items():
        assert not np.shares_memory(array, state.weights)
        assert not np.shares_memory(getattr(start, name), state.weights)


def test_arrays_of_another_layout_in_memory_learn_the_same(start):
    x, y = digits(6, 1)
    plain, strided = layout.pack(start), layout.pack(start)
    losses = learn(plain, x[::2], y[::2], PAPER)
    x[1::2], y[1::2] = np.nan, np.nan  # must not be looked at
    np.testing.assert_array_equal(learn(strided, x[::2].astype(np.float64), y[::2], PAPER), losses)
    np.testing.assert_array_equal(strided.weights, plain.weights)


@pytest.mark.parametrize(("batch", "count", "runs"), [(1, 64, 1000), (256, 1, 300)])
def test_memory_stays_flat_over_many_runs(batch, count, runs, start):
    x, y = digits(count, batch)
    state = layout.pack(start)

    def passes(number):
        for _ in range(number):
            learn(state, x, y, PAPER, threads=2)

    passes(100)  # allocators and pools of threads take what they keep
    process = psutil.Process()
    before = process.memory_info().rss
    passes(runs)
    assert process.memory_info().rss - before < 4 * 2**20


def test_shapes_that_make_no_sense_are_refused(start):
    x, y = digits(2, 1)
    with pytest.raises(ValueError, match=r"expected \(steps, batch, 1, 16, 16\)"):
        steps.run(layout.pack(start), x[0], y[0], 0.03)
    with pytest.raises(ValueError, match=r"expected \(n, 1, 16, 16\)"):
        steps.predict(layout.pack(start), x)


def test_weight_decay_without_adamw_is_refused(start):
    with pytest.raises(ValueError, match="only AdamW decays"):
        steps.run(layout.pack(start), *digits(1, 1), 0.03, weight_decay=0.1)


@pytest.mark.parametrize("recipe", [PAPER, MODERN], ids=lambda r: r.name)
def test_no_steps_and_no_images_are_fine(recipe, start):
    x, y = digits(1, 1)
    state = layout.pack(start)
    assert learn(state, x[:0], y[:0], recipe).shape == (0,)
    assert steps.predict(state, x[0, :0], chosen(recipe)).shape == (0, 10)
    np.testing.assert_array_equal(state.weights, layout.pack(start).weights)
