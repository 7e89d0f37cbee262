"""Choices that the article leaves open: effects by an oracle, and the page they stand on."""

import random
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import stats

from bench.measuring.questions import QUESTION, recipes, schemes
from bench.report import factorial as told
from bench.report.publish import publish
from tests import records_factory as factory
from zipnet import engines
from zipnet.recipe import AS_PRINTED, KARPATHY_1989
from zipnet.results.collect import collect

LEVELS = list(product(("sgd", "pseudo-newton"), ("tanh", "scaled_tanh"), ("root", "fan-in")))


def grid(seeds=6):
    draw = random.Random(1989)
    for optimizer, units, start in LEVELS:
        middle = 120 - 10 * (start == "fan-in") - 3 * (units == "tanh") * (optimizer == "sgd")
        misses = [(30, round(draw.gauss(middle, 4))) for _ in range(seeds)]
        yield factory.trained(
            f"{optimizer}, {units}, {start}", "usps", misses, question=QUESTION,
            optimizer=optimizer, activation=units, init=start,
            gamma=0.05 if optimizer == "pseudo-newton" else 0.0,
        )  # fmt: skip


def by_schemes(seeds=6):
    """Balanced makes five misses fewer, cyclic none."""
    draw = random.Random(2022)
    for scheme, start in product(("balanced", "cyclic"), ("root", "fan-in")):
        middle = 117 - 10 * (start == "fan-in") - 5 * (scheme == "balanced")
        misses = [(30, round(draw.gauss(middle, 4))) for _ in range(seeds)]
        yield factory.trained(
            f"sgd, tanh, {start}, {scheme}", "usps", misses, question=QUESTION,
            optimizer="sgd", activation="tanh", init=start, scheme=scheme,
        )  # fmt: skip


def read(folder, rows):
    factory.write(folder / "results", factory.learned_result(list(rows)), "grid.json")
    return collect([str(folder / "results")])


def test_every_combination_is_a_recipe_that_the_fastest_engine_runs():
    made = list(recipes())
    assert [(one.optimizer, one.activation, one.init) for one in made] == LEVELS
    assert {engines.fastest(one, "cpu") for one in made} == {"fused"}
    assert {one.lr for one in made} == {KARPATHY_1989.lr, AS_PRINTED.lr}
    assert told.QUESTION == QUESTION


def test_effects_are_those_of_a_linear_model(tmp_path):
    """Least squares on all seeds at once, coded -1 and 1: an effect is twice a coefficient."""
    found = told.factorial(read(tmp_path, grid()))
    signs = [cell.levels for cell in found.cells for _ in cell.test]
    a, b, c = np.array(signs, float).T
    design = np.column_stack([np.ones_like(a), a, b, c, a * b, a * c, b * c, a * b * c])
    misses = np.array([count for cell in found.cells for count in cell.test], float)
    fit, residual, *_ = np.linalg.lstsq(design, misses, rcond=None)
    effects = list(found.effects())
    assert [effect.value for effect in effects] == pytest.approx(list(2 * fit[1:7]))
    error = np.sqrt(residual[0] / (len(misses) - 8) / len(misses)) * 2
    assert effects[0].half == pytest.approx(2.0211 * error, rel=1e-3)  # t at 40 degrees, 0.975


def test_every_other_scheme_is_a_recipe_like_one_of_the_grid():
    grid, made = list(recipes()), list(schemes())
    assert [(one.scheme, one.init) for one in made] == list(
        product(("balanced", "cyclic", "random"), ("root", "fan-in"))
    )
    for one in made:
        assert replace(one, scheme="blocks", name=one.name.rpartition(", ")[0]) in grid


def test_the_effect_of_a_scheme_is_welchs_where_there_is_one_pair(tmp_path):
    """scipy's two-sample interval has its own degrees; the estimate and its error are the same."""
    rows = [*grid(), *(row for row in by_schemes() if "root" in row["fullname"])]
    found = told.factorial(read(tmp_path, rows))
    balanced, cyclic = found.scheme_effects()
    base = next(cell for cell in found.cells if cell.levels == found.others[0].levels)
    theirs = stats.ttest_ind(found.others[0].test, base.test, equal_var=False)
    assert balanced.name == "balanced"
    assert balanced.value == pytest.approx(np.mean(found.others[0].test) - np.mean(base.test))
    assert balanced.value / balanced.half * stats.t.ppf(0.975, 10) == pytest.approx(
        theirs.statistic
    )
    assert (cyclic.name, len(found.cells), len(found.others)) == ("cyclic", 8, 2)
    assert len(list(found.effects())) == 6, "the grid is full without other schemes"


def test_two_seeds_far_apart_are_drawn_all_the_same(tmp_path, without_figures):
    """Their interval reaches below no misses at all, and the axis is logarithmic."""
    rows = list(grid(seeds=2))
    for one, misses in zip(rows[0]["extra_info"]["learned"], (0, 200), strict=True):
        one["test"] |= factory.score(misses, 2007)
    publish(read(tmp_path, rows), tmp_path / "reports")
    assert (tmp_path / "reports" / "questions.png").exists()


def test_the_page_shows_schemes_beside_their_blocks(tmp_path, without_figures):
    publish(read(tmp_path, [*grid(), *by_schemes()]), tmp_path / "reports")
    page = (tmp_path / "reports" / "questions.md").read_text("utf-8")
    assert page.count("| blocks |") == 2
    assert page.count("| balanced |") == 3
    assert sum(line.endswith(("| yes |", "| no |")) for line in page.splitlines()) == 8
    assert "sgd, tanh, root, cyclic" in (tmp_path / "reports" / "questions.svg").read_text("utf-8")


def test_a_grid_that_lacks_a_combination_has_no_effects(tmp_path):
    found = told.factorial(read(tmp_path, list(grid())[:-1]))
    assert len(found.cells) == 7
    assert list(found.effects()) == []


def test_one_seed_a_cell_is_no_page(tmp_path):
    assert told.factorial(read(tmp_path, grid(seeds=1))) is None


def test_the_page_shows_every_combination_and_every_effect(tmp_path, without_figures):
    publish(read(tmp_path, grid()), tmp_path / "reports")
    page = (tmp_path / "reports" / "questions.md").read_text("utf-8")
    assert page.count("| 6 |") == 8
    assert sum(line.endswith(("| yes |", "| no |")) for line in page.splitlines()) == 6
    assert "(questions.md)" in (tmp_path / "reports" / "README.md").read_text("utf-8")
    assert (tmp_path / "reports" / "questions.svg").exists()
