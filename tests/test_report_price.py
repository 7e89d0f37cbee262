"""The price of speed, from a file's rows to its check, its tables and its figure."""

import csv
import math
from functools import partial

import pytest

from bench.report.figures import plots
from bench.report.figures.sheet import NARROW, WIDE, save
from bench.report.publish import publish
from tests import records_factory as factory
from tests.test_report_figures import rows, words
from tests.test_results_check import findings
from zipnet import paper, results
from zipnet.results.collect import collect
from zipnet.results.price import prices, stand_for_prices

FULL = paper.TRAIN_DIGITS


def content(speed=1.0, name="xeon-6982p-2c-8gib", overrides=(), **about):
    """A run that trained two engines with some batches; all digits at once got to 7% alone."""
    several = {"threads": 2} | about
    made = [
        factory.price(1, 0.4 / speed, **several),
        factory.price(1, 0.9 / speed, **several | {"threads": 1}),
        factory.price(32, 0.5 / speed, **several),
        factory.price(FULL, 90.0 / speed, never=2, **several),
        factory.price(1, 40.0 / speed, engine="fused", **several),
        factory.price(FULL, 4000.0 / speed, engine="fused", **several),
        factory.price(32, 50.0 / speed, engine="xla", never=4, **several),
    ]
    result = factory.result(name, speed, **dict(overrides))
    result["benchmarks"] += factory.measured_by(name, made)
    for row in result["benchmarks"][-len(made) :]:
        shift(row)
    return result


def shift(row):
    """The seconds to each level, after the row's timings were moved by a hair."""
    levels = row["extra_info"]["levels"]
    for at, level in enumerate(levels, start=1):
        if level["seconds"][0] is not None:
            level["seconds"] = [one * at / len(levels) for one in row["stats"]["data"]]


def test_a_file_of_prices_is_sound():
    assert findings(content()) == []


def levels_of(result):
    return result["benchmarks"][-7]["extra_info"]["levels"]


WRONG = {
    "a time without passes": (
        lambda c: levels_of(c)[3].update(passes=[28, None, 28]),
        "not by both",
    ),
    "a late passes": (lambda c: levels_of(c)[3].update(passes=[9999] * 3), "had ended"),
    "a late time": (lambda c: levels_of(c)[3].update(seconds=[50.0] * 3), "had ended"),
    "a lower level sooner": (
        lambda c: levels_of(c)[0].update(passes=[27] * 3),
        "7%: reached before",
    ),
    "a lower level alone": (
        lambda c: levels_of(c)[0].update(passes=[None] * 3, seconds=[None] * 3),
        "7%: reached before a level that lies above it",
    ),
    "too few times": (
        lambda c: levels_of(c)[0].update(seconds=[0.1]),
        "8%: 1 times, for 3 trainings",
    ),
    "levels that rise": (lambda c: levels_of(c).reverse(), "6.5%: stands below one of 6%"),
    "a level twice": (lambda c: levels_of(c)[1].update(error=8.0), "8%: stands below one of 8%"),
    "a batch of all digits and more": (
        lambda c: c["benchmarks"][-7]["extra_info"].update(batch=FULL + 1),
        f"batch is {FULL + 1}, more than the {FULL} digits there are",
    ),
    "presentations": (
        lambda c: c["benchmarks"][-7]["extra_info"].update(presentations=7),
        "presentations is 7; a time-to-error row counts none",
    ),
    "other digits": (
        lambda c: c["benchmarks"][-7]["extra_info"].update(dataset="fonts"),
        "dataset is fonts, not the file's usps",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_is_found(kind):
    change, says = WRONG[kind]
    made = content()
    change(made)
    found = findings(made)
    assert len(found) in (1, 3), found
    assert says in found[0]


@pytest.mark.parametrize(("levels", "says"), [
    (None, "levels is missing; expected one, by time-to-error"),
    ([], "levels is missing; expected one, by time-to-error"),
    ([{"error": 101.0, "passes": [1], "seconds": [1.0]}], "error is 101.0; expected"),
    ([{"error": 6.5, "passes": [1], "seconds": [0.0]}], "seconds[0] is 0.0; expected"),
    ([{"error": 6.5, "passes": [0], "seconds": [1.0]}], "passes[0] is 0; expected"),
], ids=str)  # fmt: skip
def test_a_row_without_what_its_question_needs_is_refused(tmp_path, levels, says):
    made = content()
    made["benchmarks"][-1]["extra_info"]["levels"] = levels
    (line,) = collect([str(factory.write(tmp_path, made))]).bad
    assert says in line


@pytest.mark.parametrize("errors", [(9.0,), (9.0, 5.0), (6.5,), tuple(range(99, 60, -1))], ids=str)
def test_any_levels_are_drawn(tmp_path, errors):
    row = factory.price(1, 0.4)
    row["extra_info"]["levels"] = [
        {"error": error, "passes": [at] * 3, "seconds": [0.001 * at] * 3}
        for at, error in enumerate(errors, start=1)
    ]
    figure = plots(rows(tmp_path, factory.result(benchmarks=[row])))["price"]
    for look in (WIDE, NARROW):
        save(partial(figure.draw, look), "svg")
    said = "6.5% in" if 6.5 in errors else "nobody went for 6.5%"
    assert figure.strips[0].cells[0].right.startswith(said)


def test_prices_come_from_rows_by_engine_and_batch(tmp_path):
    found = prices(rows(tmp_path, content()))
    assert [(one.source.engine, one.source.batch) for one in found] == [
        ("eager", 1), ("eager", 1), ("eager", 32), ("eager", FULL),
        ("fused", 1), ("fused", FULL), ("xla", 32),
    ]  # fmt: skip
    assert found[0].seconds == pytest.approx(0.3, rel=0.05)
    assert found[0].to(6.0).seconds == pytest.approx(0.4, rel=0.05)
    assert found[0].to(6.0).passes == 28
    assert found[3].seconds == math.inf
    assert found[3].to(7.0).seconds == pytest.approx(45, rel=0.05)
    assert found[3].to(5.0) is None


def drawn(tmp_path, *contents):
    figure = plots(rows(tmp_path, *contents))["price"]
    return figure, *(words(save(partial(figure.draw, look), "svg")[0]) for look in (WIDE, NARROW))


def test_the_figure_answers_batch_by_batch_and_says_what_was_not_reached(tmp_path):
    figure, *sides = drawn(tmp_path, content())
    assert "Soonest at 6.5%: eager · cpu · 2 threads · one digit a step, 0.30" in figure.alt
    for said in sides:
        assert said.count("one digit a step") == 2
        assert said.count("all 7,291 a step") == 2
        assert "8%, 7%, 6.5%, 6% not reached" in " ".join(said)
        assert any(text.startswith("6.5%, 6% not reached") for text in said)
        assert {"8% error", "6% error"} <= set(said)
        assert any(text.startswith("6.5% in 0.3") for text in said)
        (ratio,) = [text for text in said if text.startswith("to 6.5% all digits at once take")]
        assert ratio.split()[7][:-1] in {"98", "99", "100", "110"}
        assert not any("nan" in text or "inf" in text for text in said)
    heads = [text for text in sides[0] if text.endswith(" · cpu")]
    assert [head.partition(" ")[0] for head in heads] == ["eager", "fused", "xla"]


def test_a_mark_is_a_machine_where_there_are_many(tmp_path):
    machines = [content(speed, f"machine-{speed}") for speed in (1.0, 2.0, 4.0)]
    figure, *sides = drawn(tmp_path, *machines)
    (eager,) = [s for s in figure.strips if s.heading and s.heading[0] == "eager · cpu"]
    assert len(eager.cells[0].dots) == 3
    for said in sides:
        assert any("machine-4.0" in text for text in said)
        assert "6.5% not reached" in said


def test_every_page_and_table_shows_it(tmp_path):
    factory.write(tmp_path / "results", content())
    publish(results.read(str(tmp_path / "results")), tmp_path / "reports")
    page, markdown = (
        (tmp_path / "reports" / name).read_text() for name in ("index.html", "README.md")
    )
    assert {f"price.{kind}" for kind in ("svg", "png")} <= {
        path.name for path in (tmp_path / "reports").iterdir()
    }
    assert "![What the fast way costs." in markdown
    (line,) = [s for s in markdown.splitlines() if "eager" in s and "| 7,291 | 0.240 |" in s]
    assert line.count("not reached") == 2
    assert "| to 8% | to 7% | to 6.5% | to 6% |" in markdown
    assert "<h3>The price of speed: time to a test error</h3>" in page
    assert page.count("not reached") >= 6
    assert "learning rate 0.24" in page
    summary = (tmp_path / "reports" / "summary.csv").read_text()
    (row,) = [
        row for row in csv.DictReader(summary.splitlines())
        if (row["question"], row["batch"], row["engine"]) == ("time-to-error", str(FULL), "eager")
    ]  # fmt: skip
    assert row["lr"] == "0.24"
    assert row["levels"].endswith("6%: not reached not reached not reached")


def test_other_learning_rates_are_not_compared(tmp_path):
    one, other = content(name="machine-a"), content(name="machine-b")
    for row in other["benchmarks"][-7:]:
        row["extra_info"]["lr"] = 0.12
    for at, made in enumerate((one, other)):
        factory.write(tmp_path, made, f"{at}.json")
    runs = results.read(str(tmp_path))
    compared = results.compare(runs, "machine-a", "machine-b")
    assert "time-to-error" not in set(compared["question"])
    from zipnet.results.match import Matched

    alone = Matched(runs, (runs.runs[0], runs.runs[1]), ("A", "B")).alone()
    reasons = {one.row: one.reason for one in alone}
    where = "time-to-error · eager · cpu · all threads · batch 32"
    assert reasons[where] in {
        "learning rate 0.24 in one, learning rate 0.12 in the other",
        "learning rate 0.12 in one, learning rate 0.24 in the other",
    }


def test_the_report_shows_the_run_with_the_most_batches_whatever_else_is_newer(
    tmp_path, without_figures
):
    """All batches are a long run of their own, beside which the newest whole one has few."""
    alone, later = content(), content(2.0, overrides={"datetime": "2026-11-22T02:00:00+00:00"})
    alone["benchmarks"] = [r for r in alone["benchmarks"] if "levels" in r["extra_info"]]
    alone["benchmarks"] += factory.measured_by("x", [factory.price(8, 0.3)])
    alone["scope"] = "part"
    factory.write(tmp_path, alone)
    factory.write(tmp_path, later, "later.json")
    for name, wrong in (("wrong", {"workload": {"hash": ""}}), ("learned", {"scope": "learning"})):
        row = factory.measured_by(name, [factory.price(at, 0.3) for at in range(1, 20)])
        factory.write(tmp_path, alone | wrong | {"benchmarks": row}, f"{name}.json")
    runs = collect([str(tmp_path)])
    standing = runs.rows[stand_for_prices(runs)]
    assert len(standing) == 8
    assert not standing["newest"].any()
    publish(collect([str(tmp_path)]), tmp_path / "out")
    lines = (tmp_path / "out" / "README.md").read_text("utf-8").splitlines()
    table = lines[lines.index("## The price of speed: time to a test error") :]
    assert sum("| 8 |" in line for line in table) == 1
