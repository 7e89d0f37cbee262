"""Figures: each is drawn for no, one and many machines, says what it should, and is repeatable."""
# ruff: noqa: RUF001

import xml.etree.ElementTree as ET

import pytest

from bench.report.figures import draw_all, palette
from bench.report.files import reading
from bench.report.pages.svg import inline
from bench.report.rows.measures import measures
from tests import records_factory as factory

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["training", "macs", "batches", "steps", "sweep", "recognition"]


def drawn(tmp_path, *contents):
    found = []
    for at, content in enumerate(contents):
        file = reading.read(factory.write(tmp_path, content, f"{at}.json"))
        found += measures(file)
    return {figure.name: figure for figure in draw_all(found)}


def words(svg):
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("one"), factory.result(gpu=True))


def test_every_figure_is_there_as_svg_and_png(one):
    assert list(one) == NAMES
    for figure in one.values():
        assert ET.fromstring(figure.svg).tag == f"{SVG}svg"
        assert figure.png.startswith(b"\x89PNG")
        assert figure.alt


def test_the_training_figure_shows_1989_the_published_runs_and_ours(one):
    said = words(one["training"].svg)
    assert "SUN-4/260, SN simulator, 1989" in said
    assert "torch on an M1 MacBook Air, 2022" in said
    assert "3 days · 102 test misses" in said
    assert "compiled · cpu · 1 thread" in said
    assert "eager · cuda" in said
    assert "102 s · 2,600× · 122 test misses" in said
    assert {"cpu, measured", "cpu, projected", "cuda, projected"} <= set(said)


def test_the_mac_figure_shows_the_dsp_and_the_share_of_the_machines_own_peak(one):
    said = words(one["macs"].svg)
    assert said.count("DSP-32C peak rating") == 3
    assert any("recognised digits in 1989; it did not train" in text for text in said)
    assert any(text.endswith("%") and " G · " in text for text in said)


def test_the_pairs_show_their_references(one):
    assert "SUN-4/260: 0.65" in words(one["batches"].svg)
    assert "PC with DSP-32C: 30" in words(one["recognition"].svg)
    assert any(text.startswith("full batch, 7,291") for text in words(one["batches"].svg))


def test_the_steps_figure_shows_dispatch_by_replay_where_there_was_one(tmp_path):
    rows = [
        *factory.engine_rows("eager", "cuda", None, 1400, 0.9),
        *factory.engine_rows("graphed", "cuda", None, 140, 0.9),
        factory.row("first-step-cold", 4.0, engine="eager", device="cuda", threads=None),
    ]
    said = words(drawn(tmp_path, factory.result(benchmarks=rows))["steps"].svg)
    assert "90% dispatch, by replay" in said
    assert any(text.endswith(" s") and text.startswith("4.0") for text in said)


def test_the_steps_figure_shows_dispatch_by_the_sweep_elsewhere(tmp_path):
    rows = [
        *factory.engine_rows("eager", "cpu", 1, 1000, 100),
        *(
            factory.learning("sweep", 1e6 * (9e-4 + 1e-4 * b) / b, 1, b, engine="eager")
            for b in (1, 10, 100, 1000)
        ),
    ]
    figures = drawn(tmp_path, factory.result(benchmarks=rows))
    assert "90% dispatch, by sweep" in words(figures["steps"].svg)
    assert any(text.startswith("eager · cpu   a ") for text in words(figures["sweep"].svg))
    assert "asking" in figures["sweep"].alt


def test_a_file_without_rows_is_drawn_without_ours(tmp_path):
    figures = drawn(tmp_path, factory.result(benchmarks=[]))
    assert "SUN-4/260, SN simulator, 1989" in words(figures["training"].svg)


def test_one_question_alone_is_drawn(tmp_path):
    row = factory.engine_rows("eager", "cpu", 1, 900, 40)[2]
    said = words(drawn(tmp_path, factory.result(benchmarks=[row]))["macs"].svg)
    assert said.count("not measured") == 2


def test_many_machines_are_shown_by_their_best(tmp_path):
    from bench.report.figures import canvas, training
    from bench.report.rows.measures import trainings

    files = [
        factory.write(tmp_path, factory.result(f"machine-{i}", 0.5 + i / 7)) for i in range(15)
    ]
    found = [measure for file in files for measure in measures(reading.read(file))]
    said = words(canvas.save(lambda: training.draw(trainings(found)))[0])
    assert {f"machine-{i}" for i in range(15)} <= set(said)
    assert "The best of each machine; 15 further rows are in the tables." in said


def test_no_text_leaves_the_sheet(tmp_path):
    from functools import partial

    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from bench.report.figures import canvas, macs, pairs, training
    from bench.report.rows.measures import trainings

    long = factory.result("W" * 300)
    for row in long["benchmarks"]:
        row["extra_info"]["engine"] = row["extra_info"]["engine"] and "W" * 300
    contents = [long, factory.result("m" * 80, 1e4, gpu=True)]
    files = [factory.write(tmp_path, content) for content in contents]
    found = [measure for file in files for measure in measures(reading.read(file))]

    def looked_at(draw):
        figure = draw()
        FigureCanvasAgg(figure).draw()
        for text in figure.texts + [text for panel in figure.axes for text in panel.texts]:
            box = text.get_window_extent()
            assert box.x0 >= 0, text.get_text()
            assert box.x1 <= figure.bbox.width, text.get_text()
        return figure

    for draw in (
        partial(training.draw, trainings(found)),
        partial(macs.draw, found),
        partial(pairs.draw, pairs.BATCHES, found),
        partial(pairs.draw, pairs.RECOGNITION, found),
    ):
        assert canvas.save(partial(looked_at, draw))


HOSTILE = "<script>alert(1)</script> $\\frac{1}{0}$ \N{RIGHT-TO-LEFT OVERRIDE} 日本 & ]]>"


def test_hostile_names_stay_text_in_a_figure(tmp_path):
    content = factory.result(HOSTILE)
    content["benchmarks"][1]["extra_info"]["engine"] = "$x^2$"
    figures = drawn(tmp_path, content, factory.result("other"))
    for figure in figures.values():
        root = ET.fromstring(figure.svg)
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
    assert palette.of_device("npu") == palette.OTHER_DEVICE


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
