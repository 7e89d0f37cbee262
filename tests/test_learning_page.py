"""What recipes learn, as a page: every published figure beside every seed, and a fair verdict."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.figures import Drawn
from bench.report.learned import Against, reproduction
from bench.report.publish import publish
from tests import records_factory as factory
from zipnet import paper
from zipnet.results.collect import collect

SHEET = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'
STRANGERS = ("<script>alert(1)</script>", "a|b](x)", "$" * 200)
ARTICLE = [(12, 104), (15, 101), (9, 110)]


def rows():
    return [
        factory.trained("as-printed", "usps", ARTICLE, gamma=0.05, optimizer="pseudo-newton"),
        factory.trained("fully-connected", "usps", [(40, 170), (41, 171)]),
        factory.trained("1989", "mnist-2022", [(44, 81)], start="2022"),
        factory.trained("micro-vit", "usps", [(20, 66), (30, 68)], network="micro-vit"),
    ]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The page with its figures, which take seconds, of this file's rows and of strangers'."""
    strange = [factory.trained(name, "usps", [(30, 120), (31, 125)]) for name in STRANGERS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.report.publish.draw_all", lambda rows: iter(()))
        contents = factory.learned_result([*rows(), *strange])
        return published(tmp_path_factory.mktemp("learning"), contents)[1]


@pytest.fixture
def plain(without_figures, monkeypatch):
    """Pages whose figures are blank."""
    monkeypatch.setattr(
        "bench.report.publish.drawn", lambda name, _: Drawn(name, "", SHEET, b"", SHEET)
    )


def published(folder, *contents):
    for at, content in enumerate(contents):
        factory.write(folder / "results", content, f"{at}.json")
    runs = collect([str(folder / "results")])
    publish(runs, folder / "reports")
    return runs, folder / "reports"


def against(low, high, ours):
    return Against("test misses", "", low, high, ours, "", "")


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(0, 50), st.integers(0, 5))
def test_reproducing_is_to_lie_within_the_range_of_our_seeds(ours, low, wide):
    verdict = against(low, low + wide, ours).verdict
    inside = {*range(low, low + wide + 1)} & {*range(min(ours), max(ours) + 1)}
    assert (verdict == "yes") == bool(inside)
    assert (verdict == "beaten") == (max(ours) < low)
    if min(ours) > low + wide:
        apart = min(ours) - low - wide
        assert verdict == f"no, by {apart} miss{'' if apart == 1 else 'es'}"


def test_every_published_figure_is_held_against_our_seeds(drawn):
    page = (drawn / "learning.md").read_text("utf-8").partition("## Every published figure")[2]
    lines = re.findall(
        r"\| as-printed \| usps \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", page
    )
    figures = {what: (printed, verdict) for what, printed, _, verdict in lines}
    assert figures == {
        "test misses": ("102", "yes"),
        "train misses": ("10", "yes"),
        "test half MSE": ("0.018", "yes"),
        "train half MSE": ("0.0025", "beaten"),
        "rejected": ("12.1%", "no, by 0.350%"),
    }
    assert page.count("| LeCun et al. 1989, Neural Computation 1(4) |") == 5 + 3
    assert "| test error | 8.1% | 8.50% (8.47 to 8.52%) | no, by 0.320% |" in page
    assert "| 1989 | mnist-2022, his start | test misses | 82 | 81 | beaten |" in page


def test_the_article_reproduces_where_all_its_figures_do(tmp_path, plain):
    row = rows()[0]
    for one in row["extra_info"]["learned"]:
        one["train"]["half_mse"], one["test"]["rejected"] = 2.5e-3, 12.1
    runs, out = published(tmp_path, factory.learned_result([row]))
    assert reproduction(runs).title == "The article of 1989 reproduces"
    for page in ("learning.md", "README.md", "index.html"):
        assert "The article of 1989 reproduces" in (out / page).read_text("utf-8")


def test_the_figures_show_every_seed_and_every_misread_digit(drawn):
    said = "".join(ElementTree.parse(drawn / "learning.svg").getroot().itertext())
    assert all(f"seed {seed}: {misses} misses" in said for seed, (_, misses) in enumerate(ARTICLE))
    assert f"published: {paper.TEST_MISSES} misses" in said
    images = (drawn / "misread.svg").read_text("utf-8").count("<image")
    assert images == ARTICLE[0][1]
    assert (drawn / "curves.svg").exists()


def test_the_file_of_most_trainings_is_shown_and_never_as_a_speed(tmp_path, plain):
    later = {"datetime": "2026-11-29T02:00:00+00:00"}
    few = factory.learned_result([factory.trained("1989", "usps", [(30, 120)])], **later)
    runs, out = published(tmp_path, factory.learned_result(rows()), few, factory.result())
    assert len(reproduction(runs).outcomes) == 4
    index = (out / "index.html").read_text("utf-8")
    assert "1 run in full" not in index
    assert len(runs.newest) == 1
    assert "2.json" in index.partition('id="machines"')[2].partition("</table>")[0]


def test_without_such_a_file_there_is_no_such_page(tmp_path, plain):
    _, out = published(tmp_path, factory.result())
    assert not (out / "learning.md").exists()
    assert 'id="learned"' not in (out / "index.html").read_text("utf-8")


def test_a_strangers_recipe_breaks_no_page(drawn):
    assert "<script>alert" not in (drawn / "index.html").read_text("utf-8")
    assert "a|b](x)" not in (drawn / "learning.md").read_text("utf-8")
