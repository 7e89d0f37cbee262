"""Figures: each is drawn for no, one and many machines, says what it should, and is repeatable."""
# ruff: noqa: RUF001

import xml.etree.ElementTree as ET
from functools import partial
from itertools import combinations
from types import SimpleNamespace

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bench.report.figures import draw_all, palette, plots
from bench.report.figures.sheet import NARROW, WIDE, save
from bench.report.figures.specs import Spec, plot
from bench.report.pages.svg import inline
from tests import records_factory as factory
from zipnet.results.collect import collect

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["training", "macs", "batches", "steps", "start", "recognition", "sweep"]


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
    wide, narrow = (save(partial(figure.draw, look), "svg")[0] for look in (WIDE, NARROW))
    return SimpleNamespace(svg=wide, narrow=narrow, alt=figure.alt)


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
    content = factory.result(benchmarks=[
        *factory.benchmarks(), *swept("eager", lambda b: 1e-3 + 1e-5 * b), cold(4.0, engine="eager")
    ])  # fmt: skip
    found = rows(tmp_path, content)
    once, again = (list(draw_all(found)) for _ in range(2))
    assert once == again
    assert b"<dc:date>" not in b"".join(figure.svg for figure in once)


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
    figures = drawn(tmp_path, factory.result(benchmarks=[]))
    assert "SUN-4/260, SN simulator, 1989" in words(figures["training"].svg)
    for name in NAMES[1:]:
        assert "no row answers this" in words(figures[name].svg)
        assert "no row answers this" in words(figures[name].narrow)


def test_one_question_alone_is_drawn(tmp_path):
    row = factory.engine_rows("eager", "cpu", 1, 900, 40)[2]
    said = words(one_drawn("macs", tmp_path, factory.result(benchmarks=[row])).svg)
    assert said.count("not measured") == 2


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [("s", 2e-3, "2.00 ms"), ("B", 3 * 2**20, "3.00 MiB"), ("J", 5.0, "5 J")],
)
def test_a_new_question_is_drawn_in_its_own_unit_by_one_spec(tmp_path, unit, value, shown):
    row = factory.row("new-question", value, engine="eager", unit=unit)
    found = rows(tmp_path, factory.result(benchmarks=[factory.retimed(row, [value] * 9)]))
    spec = Spec("new", "What is new", "Less is better.", (("new-question", "of the new kind"),))
    figure = plot(spec, found)
    said = words(save(lambda: figure.draw(WIDE), "svg")[0])
    assert {"What is new", "of the new kind", "eager · cpu", shown} <= set(said)
    assert figure.alt == f"What is new. Less is better. Best here: eager · cpu, {shown}."


def test_many_machines_are_shown_by_their_best(tmp_path):
    machines = [f"machine-{i}" for i in range(15)]
    contents = [factory.result(name, 0.5 + i / 7) for i, name in enumerate(machines)]
    found = rows(tmp_path, *contents)
    (svg,) = save(lambda: plots(found)["training"].draw(WIDE), "svg")
    said = words(svg)
    assert set(machines) <= set(said)
    assert "The best of each machine; 15 further rows are in the tables." in said


def texts(figure):
    """Every text of a figure with its box in pixels, those of axes included."""
    FigureCanvasAgg(figure).draw()
    found = list(figure.texts)
    for panel in figure.axes:
        if panel.axison:
            found += panel.xaxis.get_ticklabels() + panel.yaxis.get_ticklabels()
    return [(text, text.get_window_extent()) for text in found if text.get_text()]


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=["desk", "phone"])
@pytest.mark.parametrize("names", ["short", "long"])
def test_no_text_leaves_the_sheet_or_lies_on_another(tmp_path, look, names):
    gpu = {"device": "cuda", "threads": None}
    benchmarks = [
        *factory.benchmarks(gpu=True), *swept("eager", lambda b: 9e-4 + 1e-4 * b),
        *swept("compiled", lambda b: 1e-3 + 1.01e-4 * b), *swept("eager", lambda b: 9e-3, **gpu),
        cold(4.0, engine="eager"), cold(123.0, engine="compiled", **gpu),
    ]  # fmt: skip
    contents = [factory.result("m" * 80, 1e4, gpu=True), factory.result(benchmarks=benchmarks)]
    if names == "long":
        contents[1]["machine_info"]["name"] = "W" * 300
        for row in contents[1]["benchmarks"]:
            row["extra_info"]["engine"] = row["extra_info"]["engine"] and "W" * 300
    for name, figure in plots(rows(tmp_path, *contents)).items():

        def looked_at(name=name, figure=figure):
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
    figures = drawn(tmp_path, content, factory.result("other"))
    for svg in [svg for figure in figures.values() for svg in (figure.svg, figure.narrow)]:
        root = ET.fromstring(svg)
        assert not [e for e in root.iter() if e.tag.endswith("script")]
    said = words(figures["training"].svg)
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
