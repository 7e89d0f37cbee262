"""The road: a ladder's law is followed as far as it holds and as memory reaches, and no farther."""

import pytest

from bench.report.figures.roadmap import RoadMap
from tests import records_factory as factory
from zipnet import paper
from zipnet.results.collect import collect
from zipnet.results.road import BYTES, roads

A, B = 1e-3, 1e-11
CUDA = {"device": "cuda", "threads": None}


def only(tmp_path, gib, law=lambda macs: A + B * macs, batch=1, **who):
    content = factory.result(benchmarks=factory.ladder("eager", law, batch, **who))
    content["machine_info"]["memory_gib"] = gib
    (road,) = roads(collect([str(factory.write(tmp_path, content))]).rows)
    return road


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("gib", [1.0, 7.6, 24.0])
def test_it_ends_with_the_widest_network_that_memory_holds(tmp_path, gib, batch):
    road = only(tmp_path, gib, batch=batch)
    widths = [k for k in range(1, 1000) if BYTES * paper.total("params", k) <= gib * 2**30]
    assert road.ends == batch * paper.step_macs(curvature=False, width=widths[-1])
    assert road.seconds(road.ends).median == pytest.approx(A + B * road.ends, rel=0.05)
    assert road.seconds(1.01 * road.ends) is None
    assert road.why_not(1.01 * road.ends).startswith("memory ends at ")


def test_a_machine_with_memory_enough_says_what_a_step_of_2022_takes(tmp_path):
    found = only(tmp_path, 2000.0).seconds(paper.STEP_MACS_2022)
    assert found.low < found.median < found.high
    assert found.median == pytest.approx(B * paper.STEP_MACS_2022, rel=0.05)


def test_nothing_is_known_beyond_what_was_measured_where_memory_is_not_told(tmp_path):
    unknown, gpu = only(tmp_path / "a", None), only(tmp_path / "b", 24.0, **CUDA)
    for road in (unknown, gpu):
        assert road.seconds(road.last) is not None
        assert road.seconds(2 * road.last) is None
        assert road.why_not(2 * road.last) == "memory not known"


def test_what_was_measured_is_known_though_memory_seems_too_small(tmp_path):
    road = only(tmp_path, 0.1)
    assert road.ends < road.last
    assert road.seconds(road.last) is not None
    assert "memory ends at" in road.why_not(2 * road.last)


def test_no_law_is_followed_where_it_does_not_hold(tmp_path):
    road = only(tmp_path, 24.0, law=lambda macs: (A + B * macs) * (2 if macs > 1e8 else 1))
    assert road.seconds(road.last) is None
    assert road.why_not(road.last).startswith("no such law, off by ")


def test_steps_whose_macs_are_not_told_stand_nowhere_on_the_map(tmp_path):
    row = factory.learning("fullbatch", 20.0, 1, paper.TRAIN_DIGITS, engine="eager", macs=None)
    rungs = factory.ladder("eager", lambda macs: A + B * macs)
    file = factory.write(tmp_path, factory.result(benchmarks=[row, *rungs]))
    assert RoadMap.of(collect([str(file)]).rows).steps == []
