"""A recipe is a value that cannot be nonsense."""

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zipnet import paper
from zipnet.errors import UserError
from zipnet.recipe import AS_PRINTED, AS_PRINTED_1998, KARPATHY_1989, named


def test_the_1989_recipe_is_per_example_sgd_for_23_passes():
    recipe = named("1989")
    assert (recipe.passes, recipe.batch, recipe.optimizer, recipe.lr) == (23, 1, "sgd", 0.03)


def test_the_steps_of_2022_are_those_of_modern_py_and_the_article_about_it():
    """Each adds to the one before; facts of modern.py's docstring and code."""
    softmax, adamw, shift, dropout = map(named, ("softmax", "adamw", "shift", "dropout"))
    assert (softmax.loss, softmax.output, softmax.output_bias) == ("cross_entropy", "identity", 0)
    assert (softmax.passes, softmax.optimizer, softmax.lr, softmax.lr_end) == (
        23,
        "sgd",
        0.01,
        0.01,
    )
    assert adamw.weight_decay == 0.01  # torch.optim.AdamW's own
    for recipe, passes in ((adamw, 46), (shift, 60), (dropout, 80)):
        assert (recipe.passes, recipe.batch, recipe.optimizer) == (passes, 1, "adamw")
        alpha = 7 / (passes - 1)
        expected = (1 - alpha) * 3e-4 + alpha * 1e-4
        assert recipe.lr_at(7) == pytest.approx(expected)
    assert [r.shift for r in (adamw, shift, dropout)] == [False, True, True]
    assert [r.dropout for r in (adamw, shift, dropout)] == [0, 0, 0.25]
    assert [r.activation for r in (adamw, shift, dropout)] == ["tanh", "tanh", "relu"]
    assert replace(named("more-data"), name="1989", source="", passes=23) == replace(
        KARPATHY_1989, source=""
    )
    modern = named("more-data-modern")
    assert replace(modern, name="dropout", source="", passes=80) == replace(dropout, source="")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("passes", 0),
        ("passes", 2.5),
        ("batch", -1),
        ("batch", True),
        ("lr", float("nan")),
        ("lr", -0.1),
        ("lr_end", float("inf")),
        ("dropout", 1.0),
        ("dropout", -0.25),
        ("weight_decay", 0.1),  # plain SGD has none
        ("activation", "sigmoid"),
        ("loss", "hinge"),
        ("optimizer", "adam"),
        ("init", "zero"),
        ("output_bias", float("nan")),
        ("mu", 0.01),  # plain SGD has no curvature
        ("gamma", 0.05),
        ("estimate", 500),
        ("rates", (0.1, float("inf"))),
        ("network", "lenet-5"),
    ],
)
def test_nonsense_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=field):
        replace(KARPATHY_1989, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mu", 0.0),
        ("mu", -0.01),
        ("gamma", 1.5),
        ("gamma", float("nan")),
        ("estimate", -1),
        ("estimate", 0.5),
        ("weight_decay", 0.1),
        ("loss", "cross_entropy"),
    ],
)
def test_pseudo_newton_refuses_nonsense_by_name(field, value):
    with pytest.raises(UserError, match=field):
        replace(AS_PRINTED, **{field: value})


def test_pseudo_newton_without_any_curvature_is_refused():
    with pytest.raises(UserError, match="gamma and estimate are 0"):
        replace(AS_PRINTED, gamma=0.0, estimate=0)


def test_the_form_of_1998_has_its_schedule_and_a_first_order_step():
    recipe = named("as-printed-1998")
    rates = [recipe.lr_at(i) for i in range(recipe.passes)]
    assert rates[:12] == [5e-4] * 2 + [2e-4] * 3 + [1e-4] * 3 + [5e-5] * 4
    assert set(rates[12:]) == {1e-5}
    assert recipe.at_rate(0.1).lr_at(1) == 0.1
    assert (recipe.step_macs, AS_PRINTED.step_macs) == (paper.STEP_MACS, 279_900)
    assert AS_PRINTED_1998.mu == pytest.approx(0.02 / 5)


def test_unknown_recipe_is_answered_with_the_known_ones():
    with pytest.raises(UserError, match="'1990' is not known; choose one of: 1989"):
        named("1990")


def test_recipes_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        KARPATHY_1989.lr = 1.0


@given(passes=st.integers(1, 200), lr=st.floats(0, 1), end=st.floats(0, 1))
def test_learning_rate_runs_from_first_to_last(passes, lr, end):
    recipe = replace(KARPATHY_1989, passes=passes, lr=lr, lr_end=end)
    rates = [recipe.lr_at(i) for i in range(passes)]
    assert rates[0] == lr
    assert passes == 1 or rates[-1] == pytest.approx(end)
    low, high = sorted((lr, end))
    assert all(low - 1e-12 <= rate <= high + 1e-12 for rate in rates)
