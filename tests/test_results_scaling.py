"""What more ranks add: ratios within one run, and rows of ranks among all others."""

import pytest

from bench.report.figures import plots
from bench.report.figures.specs import RANKED
from bench.report.wording import TIMES
from tests import records_factory as factory
from zipnet import paper
from zipnet.results.collect import collect
from zipnet.results.match import Matched
from zipnet.results.scaling import gains

DIGITS = paper.TRAIN_DIGITS


def ranked(question, seconds, world, hosts=1, networks=1, **about):
    """A row of ranks: all digits in one step, or so many whole trainings."""
    who = {"world": world, "hosts": hosts, "ranks_a_host": world // hosts, "backend": "gloo"}
    if question == "ranks-all-reduce":
        made = factory.row(question, seconds, **who)
    else:
        shape = (1, DIGITS) if question == "ranks-full-batch" else (networks * 167_693, 1)
        us = 1e6 * seconds / (shape[0] * shape[1])
        made = factory.learning(question, us, *shape, **who, **{"engine": "parallel"} | about)
    made["fullname"] += f"-{world}-{hosts}"
    return made


def read(tmp_path, *benchmarks, name="ranks.json"):
    factory.write(tmp_path, factory.result(benchmarks=list(benchmarks)), name)
    return collect([str(tmp_path)])


def test_a_speed_up_is_the_ratio_of_rates_within_a_run(tmp_path):
    runs = read(
        tmp_path,
        ranked("ranks-full-batch", 1.0, 1),
        ranked("ranks-full-batch", 0.4, 4),
        ranked("ranks-replicas", 1.0, 1, replicas=1, engine="fused"),
        ranked("ranks-replicas", 1.25, 2, networks=2, replicas=2, engine="fused"),
        ranked("ranks-all-reduce", 1e-4, 4),
    )
    assert runs.rows["sound"].all(), runs.rows["invalid"].tolist()
    found = {(gain.source.question, gain.source.world): gain for gain in gains(runs.rows)}
    assert next(iter(found)) == ("ranks-full-batch", 1)
    strong, weak = found["ranks-full-batch", 4], found["ranks-replicas", 2]
    assert strong.speedup == pytest.approx(2.5, rel=0.05)
    assert strong.efficiency == strong.speedup / 4
    assert strong.low < strong.speedup < strong.high
    assert weak.speedup == pytest.approx(1.6, rel=0.05)
    assert found["ranks-all-reduce", 4].speedup is None
    assert found["ranks-full-batch", 1].efficiency is None


def test_rows_are_compared_with_those_of_as_many_ranks_on_as_many_hosts(tmp_path):
    both = [ranked("ranks-full-batch", 1.0, 1), ranked("ranks-full-batch", 0.6, 2)]
    read(tmp_path, *both, name="a.json")
    other = ranked("ranks-full-batch", 0.5, 2, hosts=2)
    runs = read(tmp_path, ranked("ranks-full-batch", 1.1, 1), other, name="b.json")
    matched = Matched(runs, tuple(runs.runs), ("A", "B"))
    assert [key.world for key in matched.keys] == [1]
    (alone,) = matched.alone()
    assert alone.reason == "1 host(s) in one, 2 host(s) in the other"
    assert "2 ranks" in alone.row


def test_ranks_may_together_do_more_than_one_thread_and_not_more_than_all_of_theirs(tmp_path):
    peak = factory.row("floor-fma", 1.0, macs=20_000_000_000, engine=None)
    reached = DIGITS * paper.STEP_MACS / 20e9  # seconds of a step at the peak of one
    honest = ranked("ranks-full-batch", reached / 3.5, 4)
    typed = ranked("ranks-full-batch", reached / 12, 4, hosts=2)
    rows = read(tmp_path, peak, honest, typed).rows
    assert rows["sound"].tolist() == [True, True, False]
    assert rows["share_of_peak"][1] == pytest.approx(3.5 / 4, rel=0.05)


@pytest.mark.parametrize("who", [{"hosts": 3}, {"ranks_a_host": 1}, {"ranks_a_host": 9}], ids=str)
def test_ranks_that_their_hosts_cannot_make_are_found(tmp_path, who):
    row = ranked("ranks-full-batch", 1.0, 2)
    row["extra_info"] |= who
    rows = read(tmp_path, row).rows
    assert "world is 2, which" in rows["invalid"][0]


def test_the_figure_has_a_line_for_each_world(tmp_path):
    rows = read(tmp_path, *(ranked("ranks-full-batch", 1.0 / n, n) for n in (1, 2, 4))).rows
    figure = plots(rows)[RANKED.name]
    assert [strip.name for strip in figure.strips] == [
        f"{ranks} · cpu" for ranks in ("4 ranks", "2 ranks", "1 rank")
    ]
    remarks = [strip.cells[0].remark for strip in figure.strips]
    assert remarks == [f"4.0{TIMES} one rank", f"2.0{TIMES} one rank", ""]
    assert RANKED.name not in plots(rows[rows["world"] > 9])
