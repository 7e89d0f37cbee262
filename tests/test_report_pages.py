"""index.html, README.md and summary.csv: whole, sourced, and deaf to what a name tells them."""

import base64
import csv
import hashlib
import io
import json
import os
import re
import sys
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from bench.report.figures.specs import SPECS
from bench.report.pages.fill import plain
from bench.report.pages.said import announced
from bench.report.pages.summary import COLUMNS
from bench.report.publish import publish
from tests import records_factory as factory
from zipnet.results.collect import collect

FIGURES = ("training", "price", *(spec.name for spec in SPECS), "sweep", "roofline")

HOSTILE = [
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "a|b|c` **bold** _it_ [x](javascript:alert(1)) # $x$ ![i](http://e.vil/p.png)",
    "line\nbreak\r\n| - | -",
    "=HYPERLINK(1)",
    "+1-2@SUM(A1)",
    "@SUM(A1)",
    "-cmd|' /C calc'!A0",
    "{{ 7*7 }} {% include 'x' %}",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "https://evil.example/ www.evil.example a@evil.example",
    "x" * 1500,
    "&lt;b&gt; &#60;i&#62;",
    'quote" onload="x',
]
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Collects tags, checks that they close, and keeps the text of each table."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.attributes, self.tables, self.ids = [], [], [], [], []
        self.scripts = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag == "table":
            self.tables.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        if "table" in self.open:
            self.tables[-1] += data


def published(tmp_path, *contents):
    results, out = tmp_path / "results", tmp_path / "reports"
    for at, content in enumerate(contents):
        factory.write(results, content, f"{at}.json")
    publish(collect([str(results)]), out)
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    return published(folder, factory.result(gpu=True), factory.result("other", 2.0))


@pytest.fixture(scope="module")
def page(reports):
    return Page(reports["index.html"].decode())


def test_every_output_is_there(reports):
    figures = {f"{name}.{kind}" for name in FIGURES
               for kind in ("svg", "png")}  # fmt: skip
    assert set(reports) == {"index.html", "README.md", "summary.csv"} | figures


def test_the_page_is_well_formed_and_needs_nothing_else(page):
    assert not page.open
    assert len(page.ids) == len(set(page.ids))
    assert "img" not in page.tags
    assert page.tags.count("svg") == 2 * len(FIGURES)  # for a desk and for a phone
    for tag, name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("src", "href") and tag != "a":
            assert value.startswith(("data:", "#"))
        if name.startswith("xmlns"):
            continue
        assert not re.match("https?://", value or ""), (tag, name, value)


def test_one_script_runs_and_the_policy_knows_its_hash(page):
    assert page.tags.count("script") == 3
    *data, code = page.scripts
    for block in data:
        assert json.loads(block)
        assert not set("<>&\u2028\u2029") & set(block)
    policy = next(value for tag, name, value in page.attributes
                  if name == "content" and "default-src" in value)  # fmt: skip
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "innerHTML" not in code
    assert code.startswith('"use strict";')


def test_links_stay_within_the_repository(page):
    links = {value for tag, name, value in page.attributes if tag == "a" and name == "href"}
    assert "../results/other/1.json" in links
    for link in links:
        assert link.startswith(("#", "../results/")) or re.fullmatch(r"\w+\.(svg|png|csv)", link)
    assert {link[1:] for link in links if link.startswith("#")} <= set(page.ids)


def test_every_table_of_numbers_names_its_source(page):
    for table in page.tables:
        if "files named above" not in table:  # a script fills it, and names them
            assert re.search(r"\w+/\d\.json|LeCun et al. 1989", table), table[:200]


def test_a_speed_never_stands_without_what_was_learned(page, reports):
    trained = [table for table in page.tables if "Times the SUN" in table and "Engine" in table]
    assert len(trained) == 2
    for table in trained:
        assert "Test misses" in table
        assert "122" in table
        assert "not trained" in table
    assert "122 test and 29 training misses on usps" in reports["index.html"].decode()


def test_the_arithmetic_and_the_words_are_on_the_page(reports):
    text = reports["index.html"].decode()
    for number in ("63,660", "44,460", "171,780", "167,693", "28.8 G", "1.55 s", "12.5 M"):
        assert number in text
    assert "one weight update on a batch" in text


def test_every_row_is_in_the_table_of_its_run(page):
    rows = [table for table in page.tables if "Presentations/s" in table]
    assert len(rows) == 2
    assert "per-example SGD, steps queued" in rows[0]


def row_of(question, **about):
    """A file of a step, a sweep and one row more."""
    return factory.result(benchmarks=[*factory.benchmarks(), factory.row(question, 1.5, **about)])


def run_section(reports):
    text = reports["index.html"].decode()
    return text[text.index('<section id="run-1"') : text.index("</section>", text.index("run-1"))]


def test_every_fact_of_a_row_is_shown_whatever_it_is_called(tmp_path, without_figures):
    phases = {"import": 0.21, "compile": 5.4, "step": 0.0012}
    rows = [
        factory.row("first-step-cold", 5.6, engine="fused", phases=phases),
        factory.learning("replicas", 6.0, 9, 1, engine="fused", replicas=3,
                         replica_misses=[118, 126, 131]),
        factory.training("fused", "cpu", 1, 4.1),
    ]  # fmt: skip
    rows[-1]["extra_info"]["seed"] = 0
    section = run_section(published(tmp_path, factory.result(benchmarks=rows)))
    assert "imports 0.210 s, compiling 5.40 s, the step 1.20 ms" in section
    assert "test misses each 118 to 131, mean 125" in section
    assert "passes 23" in section
    for said in ("verified steps 20", "losses off by 1e-07", "parameters off by 1e-07",
                 "of an allowed 1e-05"):  # fmt: skip
        assert said in section


def test_what_speaks_against_a_row_stands_with_its_figures(tmp_path, without_figures):
    busy = factory.row("floor-sync", 1e-3)
    busy["extra_info"]["watch"][0] |= {"other_cpu_seconds": 4.0, "seconds": 2.0}
    section = run_section(published(tmp_path, factory.result(benchmarks=[busy])))
    assert 'class="doubtful"><details><summary>busy<' in section
    assert "another process used 2.0 cores in lap 1 of 4" in section
    assert "<em>busy</em>: Close what else runs." in section


def test_the_facts_of_a_run_are_shown(tmp_path, without_figures):
    content = factory.result(
        commit_info={"id": "78cc1a1d0123456789", "dirty": True},
        options={"engines": ["fused", "eager"], "threads": [1, 2], "train_limit": 45.0},
    )
    section = run_section(published(tmp_path, content))
    assert "78cc1a1d0123 (with uncommitted changes)" in section
    assert "Measured with uncommitted changes: equal to no other run." in section
    assert "engines fused, eager; threads 1, 2; train limit 45" in section
    assert "memory available 5.59 GiB" in section


def test_a_key_that_nobody_knows_is_shown_as_unknown(tmp_path, without_figures):
    content = row_of("floor-sync", colour="green") | {"weather": "mild"}
    section = run_section(published(tmp_path, content))
    assert "<dt>Unknown keys</dt><dd>benchmarks.extra_info.colour, weather</dd>" in section


def test_a_question_that_nobody_knows_is_shown_as_unknown_and_last(tmp_path, without_figures):
    section = run_section(published(tmp_path, row_of("floor-of-tomorrow")))
    groups = re.findall('rowgroup" colspan="10">([^<]*)<', section)
    assert groups[-1] == "unknown question: floor-of-tomorrow"
    assert len([name for name in groups if name.startswith("unknown")]) == 1
    assert "1.50 s" in section


def test_a_row_in_bytes_is_shown_in_bytes(tmp_path, without_figures):
    row = factory.retimed(row_of("peak")["benchmarks"][-1], [1.25 * 2**30 + at for at in range(9)])
    row["extra_info"]["unit"] = "B"
    out = published(tmp_path, factory.result(benchmarks=[row]))
    assert '<td class="n">1.25 GiB</td><td>1.25 GiB to 1.25 GiB</td>' in run_section(out)
    (line,) = csv.DictReader(io.StringIO(out["summary.csv"].decode()))
    assert line["unit"] == "B"
    assert float(line["median_bytes"]) == pytest.approx(1.25 * 2**30)
    assert line["median_seconds"] == ""


def test_the_law_of_a_sweep_is_shown_only_where_it_holds(tmp_path, without_figures):
    def swept(engine, seconds):
        return [
            factory.learning("sweep", 1e6 * took / batch, 1, batch, engine=engine, threads=2)
            for batch, took in seconds.items()
        ]

    rows = swept("eager", {1: 1.01e-3, 16: 1.16e-3, 256: 3.56e-3})
    rows += swept("fused", {1: 4e-6, 16: 9e-5, 256: 4e-4})
    section = run_section(published(tmp_path, factory.result(benchmarks=rows)))
    assert "a, fixed cost of a step" in section
    line = next(line for line in section.split("<tr>") if line.startswith('<th scope="row">fused'))
    assert re.search(r"no such law: off by up to \d+%", line)
    assert section.count("no such law: ") == 1


def test_the_ladder_of_widths_has_a_table_and_no_law_where_there_is_none(tmp_path, without_figures):
    rows = factory.ladder("eager", lambda macs: 1e-3 + 0.9e-11 * macs)
    rows += factory.ladder("xla", lambda macs: (1e-4 + 1e-11 * macs) * (3 if macs > 1e7 else 1))
    out = published(tmp_path, factory.result(benchmarks=rows))
    section, readme = run_section(out), out["README.md"].decode()
    assert "Half dispatch, MACs" in section
    assert "<td>1, 4, 16, 64</td>" in section
    assert section.count("no such law, off by ") == 1
    law, none = (next(line for line in readme.splitlines() if f"| {engine} " in line)
                 for engine in ("eager", "xla"))  # fmt: skip
    assert re.search(r"\| 1\.\d+ ms \| [\d.]+ G \| 1[01]\d M \| memory ends at \d+ G MACs \|$", law)
    assert re.search(r"\| \| \| \| no such law, off by \d+% \|$", none)


def test_a_terminal_is_told_of_the_newest_run_of_each_machine(tmp_path):
    for day, status in ((1, "interrupted"), (2, "complete")):
        written = f"2026-11-0{day}T00:00:00"
        content = factory.result(status=status, profile="quick", datetime=written)
        factory.write(tmp_path, content, f"{day}.json")
    runs = collect([str(tmp_path)])
    assert {line.partition(": ")[0] for line in announced(runs)} == {"xeon-6982p-2c-8gib/2.json"}


def test_a_machines_last_run_that_contradicts_itself_is_told_of_too(tmp_path):
    factory.write(tmp_path, factory.result(datetime="2026-11-01T00:00:00"), "1.json")
    liar = factory.result(datetime="2026-11-02T00:00:00",
                          workload=factory.workload() | {"hash": "0" * 64})  # fmt: skip
    factory.write(tmp_path, liar, "2.json")
    assert any("2.json: check: " in line for line in announced(collect([str(tmp_path)])))


def test_what_is_absent_is_said_with_its_reason(page):
    assert any("no Apple GPU here" in table for table in page.tables)


def test_the_same_input_gives_the_same_outputs(tmp_path, reports):
    again = published(tmp_path, factory.result(gpu=True), factory.result("other", 2.0))
    assert again == reports


def test_results_from_elsewhere_are_named_without_their_way(tmp_path, without_figures):
    factory.write(tmp_path / "home" / "someone" / "private", factory.result())
    out = tmp_path / "work" / "reports"
    publish(collect([str(tmp_path / "home")]), out)
    for name in ("index.html", "README.md", "summary.csv"):
        text = (out / name).read_text("utf-8")
        assert "xeon-6982p-2c-8gib/20261121T020000Z" in text
        assert "someone" not in text
        assert str(tmp_path) not in text


@pytest.mark.skipif(sys.platform != "linux", reason="file names are UTF-8 or refused elsewhere")
def test_a_file_name_that_is_no_text_is_reported_and_linked(tmp_path, without_figures):
    out = published(tmp_path, factory.result())
    (path,) = (tmp_path / "results").rglob("*.json")
    path.rename(path.with_name(os.fsdecode(b"\xff <b>\n.json")))
    publish(collect([str(tmp_path / "results")]), tmp_path / "reports")
    text = (tmp_path / "reports" / "index.html").read_text("utf-8")
    assert "%FF%20%3Cb%3E%0A.json" in text
    assert "<b>" not in text
    assert set(out) == {path.name for path in (tmp_path / "reports").iterdir()}


def test_no_training_at_all_is_said(tmp_path, without_figures):
    out = published(tmp_path, factory.result(benchmarks=[]))
    assert "No row of these files says" in out["index.html"].decode()


def test_a_file_that_contradicts_itself_is_no_headline_and_stands_for_no_machine(
    tmp_path, without_figures
):
    liar = factory.result("liar", 100.0, workload=factory.workload() | {"hash": "0" * 64})
    headlines = [
        published(tmp_path / str(len(of)), *of)["README.md"].decode().splitlines()[2]
        for of in ([factory.result("good")], [factory.result("good"), liar])
    ]
    assert headlines[0] == headlines[1]
    assert "good" in headlines[0]


# --- hostile strings -----------------------------------------------------------------------------


def poisoned(text):
    """A valid file with the text wherever text may stand."""
    content = factory.result(text, software={"torch": text, text: "1"}, datetime=text)
    content["machine_info"]["cpu"] |= {"model": text, "arch": text}
    content["machine_info"] |= {"gpus": [text], "system": text}
    content["dataset"] = {"name": text, "sha256": text}
    content["commit_info"] = {"id": text}
    content["state"] = {"before": {text: text}, "after": {"power": text}}
    content["absent"] = [{"engine": text, "device": text, "question": text, "reason": text}]
    for row in content["benchmarks"]:
        row["fullname"] += text
        about = row["extra_info"]
        about |= {"device_name": text, "dtype": text, "warnings": [text]}
        if about["dataset"]:
            about |= {"engine": text, "dataset": text, "dataset_sha256": text}
    content["benchmarks"][0]["extra_info"]["device"] = text
    content["workload"]["hash"] = text
    return content


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    return published(tmp_path_factory.mktemp("attacked"), *map(poisoned, HOSTILE))


def test_a_hostile_name_adds_no_tag_and_no_attribute(attacked, page):
    hurt = Page(attacked["index.html"].decode())
    assert not hurt.open
    assert set(hurt.tags) <= set(page.tags) | {"strong", "ul", "li"}
    assert "onerror" not in [name for _, name, _ in hurt.attributes]
    assert "onload" not in [name for _, name, _ in hurt.attributes]
    for tag, name, value in hurt.attributes:
        if tag == "a" and name == "href":
            assert value.startswith(("#", "../results/")) or "/" not in value
    text = attacked["index.html"].decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7*7 }}" in text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text


def test_a_hostile_name_adds_nothing_to_the_markdown(attacked):
    text = attacked["README.md"].decode()
    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    page = Page(rendered)
    assert set(page.tags) <= {"h1", "h2", "p", "strong", "em", "a", "img", "code", "ul", "li",
                              "table", "thead", "tbody", "tr", "th", "td"}  # fmt: skip
    assert page.tags.count("img") == len(FIGURES)
    assert page.tags.count("strong") == 1
    assert page.tags.count("em") == 1
    rows = re.findall(r"<tr>(.*?)</tr>", rendered, re.DOTALL)
    assert {len(re.findall("<t[hd]", row)) for row in rows} == {7}
    assert "www.evil" not in text
    assert "://" not in text
    assert "$" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_text_reads_as_it_was_written(name):
    shown = plain(name, 10_000)
    rendered = MarkdownIt("gfm-like", {"linkify": False}).renderInline(shown)
    assert not re.search("<[a-z]", rendered)
    assert "\n" not in shown


def test_no_cell_of_the_csv_starts_a_formula(attacked):
    lines = list(csv.reader(io.StringIO(attacked["summary.csv"].decode())))
    assert tuple(lines[0]) == COLUMNS
    assert {len(line) for line in lines} == {len(COLUMNS)}
    for line in lines[1:]:
        for cell in line:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "|", "%"))
            assert "\n" not in cell


def test_the_csv_holds_every_row_once_with_plain_numbers(reports):
    lines = list(csv.DictReader(io.StringIO(reports["summary.csv"].decode())))
    assert len(lines) == len(factory.benchmarks(gpu=True)) + len(factory.benchmarks())
    training = next(line for line in lines if line["question"] == "training")
    assert training["training_kind"] == "measured"
    assert float(training["training_seconds"]) > 0
    assert training["test_misses"] == "122"
    assert {line["source"] for line in lines} == {"other/1.json", "xeon-6982p-2c-8gib/0.json"}
