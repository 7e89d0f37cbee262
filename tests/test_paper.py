"""The closed form gives what the article prints."""

import pytest
import torch

from zipnet import data, paper
from zipnet.recipe import RECIPES


def test_totals_are_those_that_the_article_prints():
    assert paper.UNITS == paper.PRINTED_UNITS == 1_256
    assert paper.CONNECTIONS == paper.PRINTED_CONNECTIONS == 64_660
    assert paper.PARAMS == paper.PRINTED_PARAMS == 9_760


def test_layers_are_those_of_figure_3():
    per_layer = {la.name: (la.units, la.connections, la.params) for la in paper.LAYERS}
    assert per_layer == {
        "H1": (768, 19_968, 1_068),
        "H2": (192, 38_592, 2_592),
        "H3": (30, 5_790, 5_790),
        "out": (10, 310, 310),
    }


def test_work_of_a_step_and_of_the_run():
    assert paper.MACS == 63_660
    assert paper.STEP_MACS == 63_660 + 44_460 + 63_660 == 171_780
    assert paper.STEP_MACS + paper.CURVATURE_MACS == 279_900
    assert paper.PRESENTATIONS == 167_693
    assert round(paper.SUN_TRAINING_SECONDS / paper.PRESENTATIONS, 3) == 1.546


def test_every_published_time_has_a_source_and_the_sun_is_the_slowest():
    assert all(p.source and p.what for p in paper.PUBLISHED)
    assert max(paper.PUBLISHED, key=lambda p: p.seconds).year == 1989


def printed(misses, digits):
    """What repro.py and modern.py print of so many misses: per cent, and misses."""
    wrong = torch.zeros(digits)
    wrong[:misses] = 1
    share = torch.mean(wrong).item()
    return round(100 * share, 2), int(share * digits)


KARPATHYS = [r for r in paper.REPORTED if r.data.startswith("mnist")]


@pytest.mark.parametrize("reported", KARPATHYS, ids=lambda r: f"{r.recipe} on {r.data}")
def test_reported_misses_are_those_that_his_scripts_print_so(reported):
    """They print int(error * digits), in float32, which may take one away."""
    train, test = reported.printed or (reported.train_misses, reported.test_misses)
    assert printed(reported.test_misses, paper.TEST_DIGITS) == (reported.test_error, test)
    if reported.train_misses is not None:
        found = printed(reported.train_misses, paper.TRAIN_DIGITS)
        assert found == (reported.train_error, train)


@pytest.mark.parametrize(("name", "misses"), [("more-data", 61), ("more-data-modern", 32)])
def test_training_misses_reported_for_more_data_are_of_3000_digits(name, misses):
    (reported,) = [r for r in paper.REPORTED if r.recipe == name]
    assert printed(misses, 3000) == (reported.train_error, reported.printed[0])


def test_misses_of_the_article_are_its_per_cents():
    (article,) = [r for r in paper.REPORTED if r.recipe == "as-printed"]
    assert round(100 * article.train_misses / paper.TRAIN_DIGITS, 2) == article.train_error
    assert round(100 * article.test_misses / paper.TEST_DIGITS, 0) == article.test_error


def test_every_report_has_a_source_and_is_of_digits_and_a_recipe_that_are_known():
    assert all(r.source and r.data in data.NAMES for r in paper.REPORTED)
    assert {r.recipe for r in paper.REPORTED} <= set(RECIPES)
