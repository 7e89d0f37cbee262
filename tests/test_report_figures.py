"""Figures: each is drawn for no, one and many machines, says what it should, and is repeatable."""
# ruff: noqa: RUF001

import re
import xml.etree.ElementTree as ET
from functools import partial
from itertools import chain, combinations, pairwise, product
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.figures import draw_all, palette, plots
from bench.report.figures.dots import THINNED, crowd
from bench.report.figures.ratios import _ticks, ratio_plot
from bench.report.figures.sheet import NARROW, WIDE, Dot, save
from bench.report.figures.specs import SPECS, Spec, plot
from bench.report.pages.svg import inline
from tests import records_factory as factory
from zipnet.results.collect import collect
from zipnet.results.noise import nulls
from zipnet.results.schema import QUESTIONS
from zipnet.results.verdict import compared

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["training", "price", *(spec.name for spec in SPECS), "sweep", "roofline"]


def rows(tmp_path, *contents):
    for at, content in enumerate(contents):
        factory.write(tmp_path, content, f"{at}.json")
    found = collect([str(tmp_path)]).rows
    assert found["sound"].all()
    return found


def drawn(tmp_path, *contents):
    return {figure.name: figure for figure in draw_all(rows(tmp_path, *contents))}


def one_drawn(name, tmp_path, *contents):
    figure = plots(rows(tmp_path, *contents))[name]
    wide, narrow = sheets({name: figure})[name]
    return SimpleNamespace(svg=wide, narrow=narrow, alt=figure.alt)


def sheets(figures):
    """Each as SVG, for a desk and for a phone."""
    return {
        name: [save(partial(figure.draw, look), "svg")[0] for look in (WIDE, NARROW)]
        for name, figure in figures.items()
    }


def words(svg):
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text")]


def cold(seconds, **about):
    phases = {"import": 0.25 * seconds, "compile": 0.5 * seconds, "step": 0.001 * seconds}
    return factory.row("first-step-cold", seconds, rounds=1, phases=phases, **about)


def swept(engine, law, **who):
    """Rows of one engine whose step on B digits takes law(B) seconds."""
    return [
        factory.learning("sweep", 1e6 * law(b) / b, 1, b, engine=engine, **who)
        for b in (1, 10, 100, 1000)
    ]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("one"), factory.result(gpu=True))


def test_every_figure_is_there_for_a_desk_and_for_a_phone_as_svg_and_png(one):
    assert list(one) == NAMES
    for figure in one.values():
        widths = [
            float(ET.fromstring(svg).get("width")[:-2]) for svg in (figure.svg, figure.narrow)
        ]
        assert widths == pytest.approx([72 * WIDE.width, 72 * NARROW.width], abs=0.1)
        assert figure.png.startswith(b"\x89PNG")
        assert figure.alt


def test_the_same_rows_give_the_same_bytes(tmp_path):
    """The others are drawn twice in test_report_pages.py."""
    swept_and_cold = [*swept("eager", lambda b: 1e-3 + 1e-5 * b), cold(4.0, engine="eager")]
    figures = plots(rows(tmp_path, factory.result(benchmarks=swept_and_cold)))
    for name in ("sweep", "start"):
        once, again = (save(partial(figures[name].draw, WIDE), "svg", "png") for _ in range(2))
        assert once == again
        assert b"<dc:date>" not in once[0]


def test_the_training_figure_shows_1989_the_published_runs_and_ours(one):
    for said in map(words, (one["training"].svg, one["training"].narrow)):
        assert "SUN-4/260, SN simulator, 1989" in said
        assert "torch on an M1 MacBook Air, 2022" in said
        assert "3 days · 102 test misses" in said
        assert "compiled · cpu · 1 thread" in said
        assert "eager · cuda" in said
        assert "102 s · 2,600× · 122 test misses" in said
        assert {"cpu, measured", "cpu, projected", "cuda, projected"} <= set(said)
    assert "compiled · cpu · 1 thread, 102 s · 2,600×" in one["training"].alt


def test_the_mac_figure_shows_the_dsp_and_the_share_of_the_machines_own_peak(one):
    for svg in (one["macs"].svg, one["macs"].narrow):
        said = words(svg)
        assert said.count("DSP-32C peak rating") == 3
        assert any(text.endswith("%") and " G · " in text for text in said)
        assert "in 1989; it did not train" in " ".join(said)


def test_the_pairs_show_their_references(one):
    assert "SUN-4/260: 0.65" in words(one["batches"].svg)
    assert "PC with DSP-32C: 30" in words(one["recognition"].svg)
    assert any(text.startswith("full batch, 7,291") for text in words(one["batches"].svg))


def test_the_steps_figure_shows_dispatch_by_replay_where_there_was_one(tmp_path):
    benchmarks = [
        *factory.engine_rows("eager", "cuda", None, 1400, 0.9),
        *factory.engine_rows("graphed", "cuda", None, 140, 0.9),
    ]
    said = words(one_drawn("steps", tmp_path, factory.result(benchmarks=benchmarks)).svg)
    assert "90% dispatch, by replay" in said


def test_the_steps_figure_shows_dispatch_by_the_sweep_elsewhere(tmp_path):
    benchmarks = [
        *factory.engine_rows("eager", "cpu", 1, 1000, 100),
        *swept("eager", lambda b: 9e-4 + 1e-4 * b),
    ]
    figure = one_drawn("steps", tmp_path, factory.result(benchmarks=benchmarks))
    assert "90% dispatch, by sweep" in words(figure.svg)


def test_a_cold_start_is_shown_with_its_phases(tmp_path):
    content = factory.result(benchmarks=[cold(4.0, engine="eager")])
    figure = one_drawn("start", tmp_path, content)
    for said in map(words, (figure.svg, figure.narrow)):
        assert any(text.startswith("4.0") and text.endswith(" s") for text in said)
        assert "imports 1.00 s, compiling 2.00 s, step 4.00 ms" in said


def test_the_law_of_a_sweep_is_shown_with_its_worst_error_where_it_holds(tmp_path):
    content = factory.result(benchmarks=swept("eager", lambda b: 9e-4 + 1e-4 * b))
    figure = one_drawn("sweep", tmp_path, content)
    for svg in (figure.svg, figure.narrow):
        assert any(text.startswith("a 9") and ", off by " in text for text in words(svg))
        assert b"stroke-dasharray" in svg
    assert "eager · cpu: fixed cost of a step 9" in figure.alt
    assert "% at most" in figure.alt


def test_the_ladder_of_widths_says_where_dispatch_is_half_of_a_step(tmp_path):
    content = factory.result(benchmarks=[
        *factory.ladder("eager", lambda macs: 1e-3 + 0.9e-11 * macs),
        *factory.ladder("xla", lambda macs: (1e-4 + 1e-11 * macs) * (2 if macs > 1e9 else 1), 64),
    ])  # fmt: skip
    figure = one_drawn("width", tmp_path, content)
    for svg in (figure.svg, figure.narrow):
        assert sum(text.startswith("half at 110 M") for text in words(svg)) == 1
        assert sum(text.startswith("no such law, off by ") for text in words(svg)) == 1
        assert b"stroke-dasharray" in svg
    assert "half of a step dispatch at 110 M" in figure.alt
    assert "eager · cpu · batch 1: fixed cost of a step 1.0" in figure.alt
    assert "no such law: xla · cpu · batch 64" in figure.alt


def test_the_road_is_hatched_beyond_what_was_measured_and_ends_with_memory(tmp_path):
    content = factory.result(benchmarks=[
        *factory.benchmarks(),
        *factory.ladder("eager", lambda macs: 1e-3 + 1e-11 * macs, 64),
    ])  # fmt: skip
    figure = one_drawn("road", tmp_path, content)
    for svg in (figure.svg, figure.narrow):
        said = words(svg)
        assert {"a digit", "all digits", "2022", "2055: 10 M times as far →"} <= set(said)
        assert any(re.fullmatch(r"memory ends at \d+ G MACs", text) for text in said)
        assert b"<pattern" in svg
        assert "SUN-4/260, 1989" in titles(svg)
    assert "eager · cpu · batch 64, memory ends at " in figure.alt
    content["machine_info"]["memory_gib"] = 4000.0
    assert re.search(r"2022: \d", one_drawn("road", tmp_path / "more", content).alt)


def test_a_road_without_a_law_ends_where_it_was_measured(tmp_path):
    bent = factory.ladder("xla", lambda macs: 1e-2 if macs < 1e8 else 2e-3)
    figure = one_drawn("road", tmp_path, factory.result(benchmarks=bent))
    for svg in (figure.svg, figure.narrow):
        assert any(text.startswith("no such law, off by ") for text in words(svg))
        assert b"<pattern" not in svg


def test_no_line_and_no_costs_are_shown_where_there_is_no_such_law(tmp_path):
    bent = swept("fused", lambda b: (1e-3 + 1e-4 * b) * (3 if b > 99 else 1))
    content = factory.result(benchmarks=[
        *bent, *factory.engine_rows("eager", "cpu", 1, 1000, 100),
        *swept("eager", lambda b: (9e-4 + 1e-4 * b) * (3 if b > 99 else 1)),
    ])  # fmt: skip
    figure = one_drawn("sweep", tmp_path, content)
    for svg in (figure.svg, figure.narrow):
        said = words(svg)
        assert sum(text.startswith("no such law, off by ") for text in said) == 2
        assert not any(text.startswith("a ") and ", b " in text for text in said)
        assert b"stroke-dasharray" not in svg
    assert "no such law: " in figure.alt
    assert "fixed cost" not in figure.alt
    steps = one_drawn("steps", tmp_path, content)
    assert not any("dispatch, by" in text for text in words(steps.svg))


def test_a_file_without_rows_is_drawn_without_ours(tmp_path):
    figures = sheets(plots(rows(tmp_path, factory.result(benchmarks=[]))))
    assert "SUN-4/260, SN simulator, 1989" in words(figures["training"][0])
    for svg in chain(*(figures[name] for name in NAMES[1:])):
        assert "no row answers this" in words(svg)


def test_one_question_alone_is_drawn(tmp_path):
    row = factory.engine_rows("eager", "cpu", 1, 900, 40)[2]
    said = words(one_drawn("macs", tmp_path, factory.result(benchmarks=[row])).svg)
    assert said.count("not measured") == 2


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [("s", 2e-3, "2.00 ms"), ("B", 3 * 2**20, "3.00 MiB"), ("J", 5.0, "5.00 J"), ("W", 5.0, "5 W")],
)
def test_a_new_question_is_drawn_in_its_own_unit_by_one_spec(tmp_path, unit, value, shown):
    row = factory.row("new-question", value, engine="eager", unit=unit)
    found = rows(tmp_path, factory.result(benchmarks=[factory.retimed(row, [value] * 9)]))
    spec = Spec("new", "What is new", "Less is better.", (("new-question", "of the new kind"),))
    figure = plot(spec, found)
    said = words(save(lambda: figure.draw(WIDE), "svg")[0])
    assert {"What is new", "of the new kind", "eager · cpu", shown} <= set(said)
    assert figure.alt == f"What is new. Less is better. Best here: eager · cpu, {shown}."


# --- many machines ------------------------------------------------------------------------------


def machines(many):
    return [factory.result(f"machine-{at:04d}", 0.5 + at / 7) for at in range(many)]


def titles(svg):
    return [title.text for title in ET.fromstring(svg).iter(f"{SVG}title")]


def test_two_machines_have_a_line_each_and_three_a_mark_each(tmp_path):
    for many in (2, 3):
        figures = plots(rows(tmp_path / str(many), *machines(many)))
        for name in ("training", "macs", "batches", "steps", "recognition"):
            ours = [strip for strip in figures[name].strips if " · " in strip.name]
            assert len(ours) == {2: 4, 3: 2}[many], name
            marks = [len(cell.dots) for strip in ours for cell in strip.cells]
            assert max(marks) == many or many == 2
            assert all(strip.machine for strip in ours) == (many == 2)


@pytest.mark.parametrize("many", [3, 20])
def test_a_crowd_names_its_fastest_and_slowest_and_titles_every_mark(tmp_path, many):
    contents = machines(many)
    for at, content in enumerate(contents):
        fixed = 1e-3 / (0.5 + at / 7)
        content["benchmarks"] += swept("eager", lambda b, fixed=fixed: fixed + 1e-5 * b)
        content["benchmarks"].append(factory.price(32, 1 / (1 + at / 7)))
        content["benchmarks"] += factory.ladder("eager", lambda macs, a=fixed: a + 1e-11 * macs)
    found = rows(tmp_path, *contents)
    of_one = ("start", "road", "roofline")  # draw no mark a machine
    figures = {name: figure for name, figure in plots(found).items() if name not in of_one}
    for name, both in sheets(figures).items():
        for said in both:
            text = " ".join(words(said))
            assert "machine-0000" in text, name
            assert f"machine-{many - 1:04d}" in text, name
            pointed = " ".join(titles(said))
            assert all(f"machine-{at:04d}" in pointed for at in range(many)), name
        assert len(figures[name].strips) <= 9
        assert all(len(cell.dots) <= many for cell in figures[name].cells)


def test_a_crowd_shows_what_was_learned_beside_the_time(tmp_path):
    figure = one_drawn("training", tmp_path, *machines(4))
    line = next(text for text in words(figure.svg) if "misses" in text and "machine-0003" in text)
    assert re.fullmatch(r"109 s · 122 misses · machine-0003 – .* · machine-0000", line)
    assert "machine-0003" in figure.alt or "eager" in figure.alt


def test_marks_of_a_fleet_are_thinned_and_keep_their_ends():
    cell = crowd([(Dot(float(at), "#000000", title=f"{at}"), f"{at}") for at in range(1, 2001)])
    assert len(cell.dots) == THINNED
    assert cell.named == ("1", "2000")
    steps = {round(b.at - a.at) for a, b in pairwise(cell.dots)}
    assert max(steps) - min(steps) <= 1
    assert crowd([(Dot(1.0, "#000000"), "only")]).named == ("only",)


def test_hostile_names_stay_text_in_titles(tmp_path):
    contents = [factory.result(f"{HOSTILE}{at}", 1 + at) for at in range(3)]
    svg = one_drawn("training", tmp_path, *contents).svg
    assert any(title.startswith("<script>alert(1)</script> $") for title in titles(svg))
    page = ET.fromstring(inline(svg, "training", "alt"))
    assert not [e for e in page.iter() if e.tag.endswith("script")]
    assert any(title.text.startswith("<script>") for title in page.iter(f"{SVG}title"))


# --- verdicts -----------------------------------------------------------------------------------


def comparison(tmp_path, *speeds, change=None, margin=0.05):
    """The figure of the first machine against the others."""
    for at, speed in enumerate(speeds):
        content = factory.result(f"m{at}", speed)
        if change and at:
            change(content)
        factory.write(tmp_path, content, f"{at}.json")
    runs = collect([str(tmp_path)])
    tested = nulls(runs)
    first, *others = runs.runs
    found = [compared(runs, (first, other), tested, margin=margin) for other in others]
    return found, ratio_plot(found, [run.name for run in runs.runs])


def test_verdicts_are_grouped_by_question_a_line_an_engine_and_its_threads(tmp_path):
    (found,), figure = comparison(tmp_path, 1.0, 1.5)
    headed = [strip.heading[0] for strip in figure.strips if strip.heading]
    assert headed == [QUESTIONS[each.question].words for each in found.answered]
    assert "1.50× (1." in figure.strips[0].heading[1]
    assert "faster" in figure.strips[0].heading[1]
    assert figure.strips[0].name == "compiled · cpu · 1 thread"
    assert figure.words.title == "B is 1.50× as fast as A"
    assert "A is m0. B is m1." in figure.words.subtitle


def test_a_verdict_is_a_shape_as_well_as_a_colour(tmp_path):
    for speed, word in ((3.0, "faster"), (0.3, "slower"), (1.0, "same")):
        _, figure = comparison(tmp_path / word, 1.0, speed, margin=0.5)
        shown = {(dot.shape, dot.hollow, dot.color) for cell in figure.cells for dot in cell.dots
                 if f" {word} " in f" {dot.title.split(' · ')[-2]} "}  # fmt: skip
        assert len(shown) == 1
        ((shape, hollow, _),) = shown
        assert (shape, hollow) == ({"faster": ">", "slower": "<", "same": "s"}[word], False)
    unclear = [dot for cell in figure.cells for dot in cell.dots if "unclear" in dot.title]
    assert {(dot.shape, dot.hollow) for dot in unclear} == {("o", True)}


def test_the_band_is_the_margin_of_sameness(tmp_path):
    for at, speed in enumerate((1.0, 1.5)):
        factory.write(tmp_path, factory.result(f"m{at}", speed))
    runs = collect([str(tmp_path)])
    for margin in (0.05, 0.2):
        found = compared(runs, tuple(runs.runs), nulls(runs), margin=margin)
        figure = ratio_plot([found], ["m0", "m1"])
        band = pytest.approx((1 / (1 + margin), 1 + margin))
        assert all(cell.band == band for cell in figure.cells)
        assert figure.domain[0] < 1 / (1 + margin) < 1 + margin < 1.5 < figure.domain[1]


def test_a_reason_stands_in_the_legend_once_and_in_a_row_only_where_it_differs(tmp_path):
    def busy(content):
        row = next(r for r in content["benchmarks"] if r["extra_info"]["question"] == "sgd-queued")
        row["extra_info"]["watch"][0] |= {"other_cpu_seconds": 1e3}

    (found,), figure = comparison(tmp_path, 1.0, 1.5, change=busy)
    notes = [note for note in figure.words.notes if note.startswith("(")]
    assert len(notes) == len({(row["verdict"], row["reason"]) for row in found.records()})
    numbered = [cell.right for cell in figure.cells if cell.right.endswith(")")]
    assert 1 <= len(numbered) < len(figure.cells) / 4
    (number,) = [note.partition(" ")[0] for note in notes if "another process used" in note]
    assert any(text.endswith(f"unclear {number}") for text in numbered)


@pytest.mark.parametrize("many", [3, 30])
def test_several_against_a_baseline_are_marks_on_one_line(tmp_path, many):
    found, figure = comparison(tmp_path, *(1 + at / 7 for at in range(many)))
    cell = figure.cells[0]
    assert len(cell.dots) == many - 1 == len(found)
    for look in (WIDE, NARROW):
        (svg,) = save(partial(figure.draw, look), "svg")
        said = " ".join(words(svg))
        assert ("B 1.14×" if many < 27 else "m1 1.14×") in said
        assert (
            len([title for title in titles(svg) if "sgd-queued · eager · cpu · 1" in title])
            == many - 1
        )


def test_batches_of_a_sweep_are_marks_on_one_line(tmp_path):
    for name, fixed in (("a", 9e-4), ("b", 8e-4)):
        sweep = swept("eager", lambda b, fixed=fixed: fixed + 1e-4 * b)
        factory.write(tmp_path, factory.result(name, benchmarks=sweep))
    runs = collect([str(tmp_path)])
    figure = ratio_plot([compared(runs, tuple(runs.runs), nulls(runs))], ["a", "b"])
    (strip,) = figure.strips
    said = [dot.title for dot in strip.cells[0].dots]
    for batch in ("1", "10", "100", "1,000"):
        assert sum(f"batch {batch} " in title for title in said) == 1


def test_a_far_interval_does_not_press_the_others_together(tmp_path):
    def wild(content):
        row = next(r for r in content["benchmarks"] if r["extra_info"]["question"] == "fullbatch")
        factory.retimed(
            row, [seconds * 1000.0 ** (at % 2) for at, seconds in enumerate(row["stats"]["data"])]
        )

    (found,), figure = comparison(tmp_path, 1.0, 1.1, change=wild)
    speeds = found.rows["speed"]
    assert figure.domain[0] > 0.6 * speeds.min()
    assert figure.domain[1] < 1.7 * max(speeds.max(), 1)


def test_rows_that_nobody_shares_are_drawn_as_none(tmp_path):
    factory.write(
        tmp_path, factory.result("a", benchmarks=[factory.training("eager", "cpu", 1, 9)])
    )
    factory.write(tmp_path, factory.result("b", benchmarks=factory.floor_rows("cpu", 1, 1e11)))
    runs = collect([str(tmp_path)])
    figure = ratio_plot([compared(runs, tuple(runs.runs), nulls(runs))], ["a", "b"])
    assert "no row answers this" in words(save(partial(figure.draw, WIDE), "svg")[0])


@given(st.tuples(st.floats(-8, 0), st.floats(0, 8)))
def test_one_is_among_the_ticks_of_every_ratio_axis(ends):
    low, high = (10.0**end for end in ends)
    ticks = _ticks((low / 1.04, high * 1.04))
    assert 1 <= len(ticks) <= 7
    assert "1×" in [text for _, text in ticks]
    assert len({text for _, text in ticks}) == len(ticks)


# --- legibility ---------------------------------------------------------------------------------


def texts(figure):
    """Every text of a figure with its box in pixels, those of axes included."""
    figure.draw_without_rendering()
    found = list(figure.texts)
    for panel in figure.axes:
        if panel.axison:
            found += panel.xaxis.get_ticklabels() + panel.yaxis.get_ticklabels()
    return [(text, text.get_window_extent()) for text in found if text.get_text()]


@pytest.mark.parametrize("names", ["short", "long"])
def test_no_text_leaves_the_sheet_or_lies_on_another(tmp_path, names):
    gpu = {"device": "cuda", "threads": None}

    def benchmarks(speed):
        return [
            *factory.benchmarks(speed, gpu=True),
            *swept("eager", lambda b: (9e-4 + 1e-4 * b) / speed),
            *swept("compiled", lambda b: (1e-3 + 1.01e-4 * b) / speed),
            *swept("eager", lambda b: 9e-3 / speed, **gpu),
            *factory.ladder("eager", lambda macs: (9e-4 + 1e-11 * macs) / speed),
            *factory.ladder("eager", lambda macs: (9e-4 + 1e-11 * macs) / speed, 64),
            *factory.ladder("compiled", lambda macs: 9e-3 / speed, **gpu),
            cold(4.0 / speed, engine="eager"), cold(123.0 / speed, engine="compiled", **gpu),
        ]  # fmt: skip

    contents = [
        factory.result("m" * 80, 20.0, gpu=True), factory.result(benchmarks=benchmarks(1.0)),
    ]  # fmt: skip
    if names == "long":
        contents[1]["machine_info"]["name"] = "W" * 300
        for row in contents[1]["benchmarks"]:
            row["extra_info"]["engine"] = row["extra_info"]["engine"] and "W" * 300
    few = rows(tmp_path / "few", *contents)
    third = factory.result("n" * 300, benchmarks=factory.measured_by("n", benchmarks(1.7)))
    many = rows(tmp_path / "many", *contents, third)
    runs = collect([str(tmp_path / "many")])
    against = [compared(runs, (runs.runs[0], other), nulls(runs)) for other in runs.runs[1:]]
    of = [run.name for run in runs.runs]
    figures = [*plots(few).items(), *plots(many).items(),
               ("pair", ratio_plot(against[:1], of[:2])), ("several", ratio_plot(against, of)),
               ("unlettered", ratio_plot(against * 13, [*of, *of[1:] * 12]))]  # fmt: skip
    for (name, figure), look in product(figures, (WIDE, NARROW)):

        def looked_at(name=name, figure=figure, look=look):
            made = figure.draw(look)
            found = texts(made)
            for text, box in found:
                assert box.x0 >= 0, (name, text.get_text())
                assert box.x1 <= made.bbox.width, (name, text.get_text())
                assert box.y0 >= 0, (name, text.get_text())
                assert box.y1 <= made.bbox.height, (name, text.get_text())
            for (one, box), (other, beside) in combinations(found, 2):
                apart = box.x1 <= beside.x0 + 1 or beside.x1 <= box.x0 + 1
                below = box.y1 <= beside.y0 + 2 or beside.y1 <= box.y0 + 2  # descenders may touch
                assert apart or below, (name, one.get_text(), other.get_text())
            return made

        save(looked_at)


def test_on_a_phone_no_text_is_smaller_than_nine_pixels(one):
    scale = (390 - 48) / (72 * NARROW.width)  # the page's margins and the card's
    for figure in one.values():
        styles = [e.get("style") or "" for e in ET.fromstring(figure.narrow).iter(f"{SVG}text")]
        sizes = [
            float(
                s.partition("font-size: ")[2].partition("px")[0]
                or s.partition("font: ")[2].partition("px")[0].split()[-1]
            )
            for s in styles
        ]
        assert min(sizes) * scale >= 9


HOSTILE = "<script>alert(1)</script> $\\frac{1}{0}$ \N{RIGHT-TO-LEFT OVERRIDE} 日本 & ]]>"


def test_hostile_names_stay_text_in_a_figure(tmp_path):
    content = factory.result(HOSTILE)
    content["benchmarks"][1]["extra_info"]["engine"] = "$x^2$"
    figures = sheets(plots(rows(tmp_path, content, factory.result("other"))))
    for svg in chain(*figures.values()):
        root = ET.fromstring(svg)
        assert not [e for e in root.iter() if e.tag.endswith("script")]
    said = words(figures["training"][0])
    assert any(text.startswith("<script>alert(1)</script> $\\frac{1}{0}$") for text in said)
    assert any("$x^2$" in text for text in said)


def test_a_figure_in_a_page_has_ids_of_its_own_and_colours_as_variables(one):
    svg = inline(one["macs"].svg, "macs", 'alt "text" <b>')
    root = ET.fromstring(svg)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert all(name.startswith("macs-") for name in ids)
    assert len(ids) == len(set(ids))
    for element in root.iter():
        for key, value in element.attrib.items():
            if key.endswith("href"):
                assert value.removeprefix("#") in ids
    assert root.get("aria-label") == 'alt "text" <b>'
    for colour in ("ink", "muted", "paper", "accent", "cpu"):
        assert f"var(--{colour}, " in svg
    assert "metadata" not in svg


def test_every_colour_of_the_palette_is_apart_from_the_others():
    light = [colours[0] for colours in palette.SCHEMES.values()]
    assert len(set(light)) == len(light)
    assert palette.of_device("cuda:1") == palette.of_device("cuda")
    assert palette.of_device("npu") == palette.SCHEMES["other"][0]
    assert palette.of_device("paper") == palette.SCHEMES["other"][0]


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", [n for n in palette.SCHEMES if n not in ("paper", "grid")])
def test_every_colour_can_be_read_on_its_paper(name, scheme):
    paper, colour = (luminance(palette.SCHEMES[n][scheme]) for n in ("paper", name))
    contrast = (max(paper, colour) + 0.05) / (min(paper, colour) + 0.05)
    text = name in ("ink", "muted", "accent", "cpu")
    assert contrast >= (4.5 if text else 3.0)  # WCAG 2.2: text, and graphical objects
