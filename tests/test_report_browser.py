"""index.html in a real browser: sorted, filtered and compared, by mouse, keyboard and address."""
# ruff: noqa: RUF001

import io
import json
import os
from contextlib import redirect_stdout
from itertools import pairwise
from urllib.parse import quote

import pytest

from bench.__main__ import main
from bench.report.publish import publish
from bench.report.wording import amount, duration, percent, quantity, significant, span, times
from tests import browser as driver
from tests import fleet
from tests import records_factory as factory
from zipnet.results.collect import collect
from zipnet.results.schema import QUESTIONS
from zipnet.results.units import UNITS

FILES = int(os.environ.get("ZIPNET_FLEET", "120"))
MOST_BYTES = 5_000_000

pytestmark = pytest.mark.skipif(
    driver.found() is None, reason=f"no browser: none of {', '.join(driver.NAMES)} on PATH"
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet") / "results"
    fleet.write(folder, FILES)
    return folder


@pytest.fixture(scope="module")
def page(results):
    """A page of a small fleet, or of ZIPNET_FLEET files."""
    out = results.parent / "reports"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.report.publish.draw_all", lambda rows: iter(()))
        publish(collect([str(results)]), out)
    return out / "index.html"


@pytest.fixture(scope="module")
def chromium():
    running = driver.Browser()
    yield running
    running.close()


@pytest.fixture
def opened(chromium, page):
    """The page, freshly opened; at the end it must not have complained of anything."""
    chromium.open(page)
    yield chromium
    assert chromium.complaints == []


def column(browser, number):
    return browser.texts(f"#runs tbody tr > :nth-child({number})")


def fill(browser, selector, text):
    browser.value(f"document.querySelector({json.dumps(selector)}).select()")
    browser.value(f"document.querySelector({json.dumps(selector)}).focus()")
    browser.type(text)


def test_the_page_stays_small(page):
    assert page.stat().st_size < MOST_BYTES


def test_the_fastest_come_first_and_the_count_is_said(opened):
    assert opened.value("document.getElementById('count').textContent").startswith(
        f"{FILES - broken(FILES):,} runs, 50 shown"
    )
    assert opened.value("document.querySelectorAll('#runs tbody tr').length") == 50
    shown = opened.value("inOrder(runsOf(embedded('runs-data')), 'seconds', true)"
                         ".map(run => run.seconds)")  # fmt: skip
    known = [seconds for seconds in shown if seconds is not None]
    assert known == sorted(known)
    assert shown[len(known) :] == [None] * (len(shown) - len(known))
    assert opened.texts("#runs th[aria-sort='ascending']") == ["Time"]


def broken(files):
    return sum(at % 997 == 500 for at in range(files))


def test_scripts_draw_the_rows_that_stand_there_without_them(chromium, page):
    chromium.script(False)
    try:
        chromium.open(page)
    finally:
        chromium.script(True)
    without = chromium.value("document.querySelector('#runs tbody').innerText")
    assert "needs JavaScript" in chromium.value("document.body.innerText")
    assert chromium.value("document.getElementById('compare').hidden")
    chromium.open(page)
    assert chromium.value("document.querySelector('#runs tbody').innerText") == without
    assert "needs JavaScript" not in chromium.value("document.body.innerText")


def test_a_header_orders_the_table_and_says_so(opened):
    opened.value("[...document.querySelectorAll('#runs thead button')][0].click()")
    assert opened.texts("#runs th[aria-sort='ascending']") == ["Machine"]
    names = column(opened, 1)
    assert names == sorted(names)
    opened.value("[...document.querySelectorAll('#runs thead button')][0].click()")
    assert opened.texts("#runs th[aria-sort='descending']") == ["Machine"]
    assert column(opened, 1) == sorted(column(opened, 1), reverse=True)


def test_a_filter_keeps_what_has_every_word(opened):
    name = opened.value("inOrder(runsOf(embedded('runs-data')), 'seconds', true)[0].machine")
    fill(opened, "#filter", f"FUSED {name}")
    kept = column(opened, 1)
    assert 0 < len(kept) < 50
    assert set(kept) == {name if len(name) <= 44 else name[:43] + "\u2026"}
    assert opened.value("document.getElementById('count').textContent").startswith(
        f"{len(kept)} of "
    )
    fill(opened, "#filter", "no such machine")
    assert column(opened, 1) == []
    assert opened.value("document.getElementById('count').textContent").startswith("0 of ")


def test_more_rows_come_when_asked_and_the_reader_goes_on_there(opened):
    opened.value("document.getElementById('more').click()")
    assert opened.value("document.querySelectorAll('#runs tbody tr').length") == 100
    assert opened.value("[...document.querySelector('#runs tbody').children]"
                        ".indexOf(document.activeElement)") == 50  # fmt: skip


def test_the_keyboard_alone_sorts_filters_and_compares(opened):
    opened.value("document.getElementById('filter').focus()")
    opened.type("fused")
    for _ in range(2):  # past the table, which scrolls, to its first header
        opened.press("Tab")
    assert opened.value("document.activeElement.textContent") == "Machine"
    assert opened.value("document.activeElement.matches(':focus-visible')")
    opened.press("Enter")
    assert opened.texts("#runs th[aria-sort='ascending']") == ["Machine"]
    for _ in range(300):
        opened.press("Tab")
        if opened.value("document.activeElement.id") == "one":
            break
    names = opened.value("compareData().machines.map(m => m.name)")
    choose(opened, names[0], 1)
    assert opened.value("document.activeElement.id") == "other"
    choose(opened, names[1], 2)
    assert opened.value("document.activeElement.id") == "swap"
    assert opened.value("document.getElementById('said').textContent").startswith("B is ")


def choose(browser, name, number):
    """A machine, in a list that is chosen from or typed into; then on to the next control."""
    if browser.value("document.activeElement.tagName") == "SELECT":
        for _ in range(number):
            browser.press("ArrowDown")
    else:
        browser.type(name)
    browser.press("Tab")


@pytest.fixture(scope="module")
def pairs(results, page):
    names = sorted(path.name for path in results.iterdir())
    step = max(1, len(names) // 6)
    return [(names[0], names[1]), (names[step], names[-1]), (names[-2], names[2 * step])]


def command(results, *names):
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        arguments = ["bench", "compare", *names, "--results", str(results), "--json"]
        patch.setattr("sys.argv", arguments)
        main()
    return json.loads(said.getvalue())["comparisons"][0]


COMPARED = """(() => {
  const data = compareData();
  const pair = %s.map((name) => data.machines.find((machine) => machine.name === name));
  const { rows } = compared(data, pair);
  return {
    rows: rows.map(({ text, speed, verdict }) => ({ text, ...plain(speed), ...verdict })),
    network: plain(meanText(rows, "network").mean), machine: plain(meanText(rows, "machine").mean),
  };
})()"""


@pytest.mark.parametrize("number", range(3))
def test_the_page_says_of_two_machines_what_the_command_says(opened, results, pairs, number):
    pair = pairs[number]
    expected = command(results, *pair)
    found = opened.value(COMPARED % json.dumps(pair))
    assert len(found["rows"]) == len(expected["rows"])
    for ours, theirs in zip(found["rows"], expected["rows"], strict=True):
        assert theirs["question"] in ours["text"]
        assert ours["median"] == pytest.approx(theirs["speed"], rel=3e-6)
        for end in ("low", "high"):
            assert ours[end] == (theirs[end] and pytest.approx(theirs[end], rel=3e-6))
        assert (ours["word"], ours["reason"]) == (theirs["verdict"], theirs["reason"])
    for kind in ("network", "machine"):
        mean = expected["geometric_mean"][kind]
        assert found[kind]["median"] == pytest.approx(mean["speed"], rel=3e-6)
        assert found[kind]["low"] == (mean["low"] and pytest.approx(mean["low"], rel=3e-6))


def test_an_address_opens_a_comparison(chromium, page, pairs):
    one, other = pairs[1]
    chromium.open(page, f"#compare={quote(one)},{quote(other)}")
    assert chromium.value("document.getElementById('one').value") == one
    assert chromium.texts("#who li")[1].startswith(f"B is {other}, ")
    assert chromium.value("document.getElementById('said').textContent").startswith("B is ")
    assert chromium.value("document.querySelectorAll('#compared tbody tr').length") > 20
    chromium.value("document.getElementById('swap').click()")
    assert chromium.value("location.hash") == f"#compare={quote(other)},{quote(one)}"
    assert chromium.complaints == []


def held(question):
    """What the command says of a question, as the figure words it."""
    if question["speed"] is None:
        return "unclear"
    speed, low, high = (question[name] for name in ("speed", "low", "high"))
    return f"{significant(speed)}× ({span(low, high)}) {question['verdict']}"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_figure_of_verdicts_follows_the_choice(chromium, page, results, pairs, width):
    chromium.size(width, 844)
    try:
        for pair in (pairs[0], pairs[0][::-1], pairs[2]):
            expected = command(results, *pair)
            chromium.open(page, "#compare=" + ",".join(map(quote, pair)))
            titles = chromium.texts("#ratios .mark title")
            assert len(titles) == len(expected["rows"])
            for row, title in zip(expected["rows"], titles, strict=True):
                assert f"{row['verdict']}: {row['reason']}" in title
            asked = [QUESTIONS[question["question"]].words for question in expected["questions"]]
            assert chromium.texts("#ratios .asked") == asked
            assert chromium.texts("#ratios .holds") == list(map(held, expected["questions"]))
            boxes = chromium.value(
                "[...document.querySelectorAll('#ratios text')].map((text) => "
                "{ const box = text.getBoundingClientRect(); return [box.right, box.height]; })"
            )
            assert max(right for right, _ in boxes) <= width
            assert min(height for _, height in boxes) >= 10
        assert chromium.complaints == []
    finally:
        chromium.size(1280, 900)


def test_the_figure_of_verdicts_is_drawn_anew_for_another_window(chromium, page, pairs):
    chromium.open(page, "#compare=" + ",".join(map(quote, pairs[0])))
    try:
        wide = chromium.value("document.querySelector('#ratios svg').clientWidth")
        chromium.size(390, 844)
        chromium.value("dispatchEvent(new Event('resize'))")
        assert chromium.value("document.querySelector('#ratios svg').clientWidth") < 390 < wide
    finally:
        chromium.size(1280, 900)


def test_a_reason_stands_once_in_the_legend_and_in_a_row_where_it_differs(chromium, page, pairs):
    chromium.open(page, "#compare=" + ",".join(map(quote, pairs[0])))
    legend = chromium.texts("#why li")
    assert len(set(legend)) == len(legend) >= 1
    rows = chromium.value("document.querySelectorAll('#compared tbody tr:not(.group)').length")
    whys = [text for text in chromium.texts("#compared tbody td.wrap") if text]
    assert len(whys) < rows / 2
    chosen = COMPARED.replace("rows: rows.map", "groups: byQuestion(rows), rows: rows.map")
    groups = chromium.value(f"({chosen % json.dumps(pairs[0])}).groups")
    groups = [(one["reason"], [row["verdict"]["reason"] for row in one["rows"]]) for one in groups]
    assert whys == [why for reason, all_ in groups for why in all_ if why != reason]


@pytest.mark.parametrize("fragment", ["#compare=gone,lost", "#compare=%ff,%ff", "#compare=,", "#x"])
def test_an_address_that_names_nobody_is_no_error(chromium, page, fragment):
    chromium.open(page, fragment)
    assert chromium.value("document.getElementById('result').hidden")
    assert chromium.value("document.getElementById('said').textContent")
    assert chromium.complaints == []


def test_every_control_has_a_name_for_those_who_listen(opened):
    nodes = opened.devtools.send("Accessibility.getFullAXTree")["nodes"]
    controls = {"button", "combobox", "searchbox", "textbox", "MenuListPopup", "table", "link"}
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in controls - {"MenuListPopup"}
    ]
    assert {"button", "combobox", "searchbox", "table"} <= {role for role, _ in named}
    assert [role for role, name in named if not name.strip()] == []
    levels = opened.value("[...document.querySelectorAll('h1,h2,h3,h4')]"
                          ".map(h => Number(h.tagName[1]))")  # fmt: skip
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(chromium, page, pairs, width):
    chromium.size(width, 844)
    try:
        chromium.open(page, "#compare=" + ",".join(map(quote, pairs[0])))
        assert chromium.value("document.documentElement.scrollWidth") <= width
    finally:
        chromium.size(1280, 900)


NUMBERS = [0, 1, 2.5, 0.1, 0.0999, 1e-3, 9.99e-4, 1e-7, 3.3e-10, 119.9, 7200, 172800.1, 1234.5,
           999.6, 1e15, 12345678.9, 0.999999]  # fmt: skip


def test_numbers_are_written_as_python_writes_them(opened):
    for name, ours in (("significant", significant), ("duration", duration),
                       ("quantity", quantity), ("percent", percent),
                       ("times", times)):  # fmt: skip
        found = opened.value(f"{json.dumps(NUMBERS)}.map((number) => {name}(number))")
        assert found == [ours(number) for number in NUMBERS]


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_written_as_python_writes_them(opened, unit):
    found = opened.value(f"{json.dumps(NUMBERS)}.map((number) => amount(number, '{unit}'))")
    assert found == [amount(number, unit) for number in NUMBERS]


HOSTILE = [
    "</script><script>alert(1)</script>", "<!--<script>", "a,b#%41&", "x\u2028y\u2029z",
    "' onload='x", '"\\u003c', "${alert(1)}", "\N{RIGHT-TO-LEFT OVERRIDE}gpj", "__proto__",
]  # fmt: skip


def test_hostile_names_are_text_and_can_be_compared(chromium, tmp_path, without_figures):
    for at, name in enumerate(HOSTILE):
        dated = factory.result(name, 100 + at, datetime=name)  # no moment: shown, and not compared
        factory.write(tmp_path / str(at), factory.result(name, 1 + at), f"{at}.json")
        factory.write(tmp_path / str(at), dated, f"{at}-dated.json")
    publish(collect([str(tmp_path)]), tmp_path / "out")
    page = tmp_path / "out" / "index.html"
    chromium.open(page)
    names = chromium.value("compareData().machines.map(m => m.name)")
    assert len(names) == len(HOSTILE)
    assert chromium.value("document.querySelectorAll('script').length") == 3
    chromium.open(page, "#compare=" + ",".join(quote(name, safe="") for name in names[:2]))
    assert chromium.value("document.getElementById('said').textContent").startswith("B is ")
    chromium.value("document.getElementById('swap').click()")
    assert chromium.value("document.getElementById('said').textContent").startswith("B is ")
    fill(chromium, "#filter", "<script>")
    assert len(column(chromium, 1)) == 4
    assert chromium.complaints == []


def test_the_policy_lets_nothing_else_run(opened):
    opened.value("document.body.append(Object.assign(document.createElement('script'),"
                 "{textContent: 'window.broken = 1'}))")  # fmt: skip
    assert opened.value("window.broken") is None
    assert "Content Security Policy" in opened.complaints[0]
    opened.complaints.clear()
