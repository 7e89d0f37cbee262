"""A recipe is a value that cannot be nonsense."""

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zipnet.errors import UserError
from zipnet.recipe import KARPATHY_1989, named


def test_the_1989_recipe_is_per_example_sgd_for_23_passes():
    recipe = named("1989")
    assert (recipe.passes, recipe.batch, recipe.optimizer, recipe.lr) == (23, 1, "sgd", 0.03)


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
    ],
)
def test_nonsense_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=field):
        replace(KARPATHY_1989, **{field: value})


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
