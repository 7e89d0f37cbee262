"""Choices that the article leaves open: effects by an oracle, and the page they stand on."""

import random
from itertools import product

import numpy as np
import pytest

from bench.measuring.questions import QUESTION, recipes
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


def test_a_grid_that_lacks_a_combination_has_no_effects(tmp_path):
    found = told.factorial(read(tmp_path, list(grid())[:-1]))
    assert len(found.cells) == 7
    assert list(found.effects()) == []


def test_one_seed_a_cell_is_no_page(tmp_path):
    assert told.factorial(read(tmp_path, grid(seeds=1))) is None


def test_the_page_shows_every_combination_and_every_effect(tmp_path):
    publish(read(tmp_path, grid()), tmp_path / "reports")
    page = (tmp_path / "reports" / "questions.md").read_text("utf-8")
    assert page.count("| 6 |") == 8
    assert sum(line.endswith(("| yes |", "| no |")) for line in page.splitlines()) == 6
    assert "(questions.md)" in (tmp_path / "reports" / "README.md").read_text("utf-8")
    assert (tmp_path / "reports" / "questions.svg").exists()
