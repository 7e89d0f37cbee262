"""The closed form gives what the article prints."""

from zipnet import paper


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
