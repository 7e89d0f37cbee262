"""index.html, one page that needs nothing else on a phone or a desk, and README.md for GitHub.

The HTML is autoescaped; the figures are the only markup that passes unescaped, and they are drawn
by us, through an XML writer that escapes what it is given. In the Markdown plain() does the same.
"""

from __future__ import annotations

import html
import json
import string
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from bench.report import wording
from bench.report.compare.tables import sight
from bench.report.factorial import Factorial
from bench.report.figures import Drawn
from bench.report.figures.palette import SCHEMES
from bench.report.learned import Reproduction
from bench.report.pages.embedded import compare_data, runs_data, to_script
from bench.report.pages.said import doubts, of_row
from bench.report.pages.sections import Report, Section
from bench.report.pages.svg import inline
from zipnet import paper
from zipnet.results.noise import FLOOR, MARGIN, UNSEEN
from zipnet.results.schema import QUESTIONS
from zipnet.results.units import UNITS

TEMPLATES: Final = Path(__file__).with_name("templates")
SCRIPTS: Final = ("words.js", "machines.js", "verdict.js", "ratios.js", "compare.js")
WORDING: Final = (
    "amount", "called", "cut", "duration", "percent", "quantity", "question", "significant",
    "times", "toll", "who",
)  # fmt: skip
DETAILED: Final = 24  # runs shown in full: the newest of each machine first
MOST: Final = 50  # runs of the table that stand there without JavaScript, and machines in Markdown
LINES: Final = 200  # of a list: files that could not be read, cautions

# Everything else becomes a character reference, which Markdown shows and never obeys.
PLAIN: Final = frozenset(
    string.ascii_letters + string.digits + " .,;()/-+%\N{MIDDLE DOT}\N{MULTIPLICATION SIGN}"
)


def plain(value: object, limit: int = 80) -> str:
    """Untrusted text as Markdown that stays text, on one line."""
    shown = " ".join(wording.cut(str(value), limit).split()).replace("www.", "www .")
    return "".join(c if c in PLAIN else f"&#{ord(c)};" for c in shown)


def to_html(report: Report) -> str:
    """index.html."""
    runs, sections = report.runs, report.sections
    detailed = sorted(sections, key=lambda section: not section.newest)[:DETAILED]
    numbered = {id(section): at for at, section in enumerate(detailed, start=1)}
    compared = compare_data(runs)
    machines = len(compared["machines"].get("rows", ()))
    # All of the page's JavaScript, ours to the letter: the page's policy names its hash.
    parts = [(TEMPLATES / name).read_text("utf-8") for name in SCRIPTS]
    units = f"const UNITS = {json.dumps(UNITS, ensure_ascii=False)};"
    script = Markup("\n".join(['"use strict";', units, *parts]))  # noqa: S704
    return _template("index.html").render(
        headline=report.headline,
        figures=_inlined(report.figures),
        found=report.found,
        asked=report.asked,
        learning_figures=_inlined(report.learning),
        runs=len(sections),
        first=[(section, numbered.get(id(section))) for section in sections[:MOST]],
        detailed=((section, section.in_full()) for section in detailed),
        in_full=len(detailed),
        bad=runs.bad[:LINES],
        unnamed=len(runs.bad[LINES:]),
        nulls=[null for null in report.tested.values() if null.sources][:MOST],
        tested=report.tested,
        unseen=UNSEEN.noise(),
        margin=MARGIN,
        floor=FLOOR,
        runs_data=to_script(runs_data(sections, numbered)),
        compare_data=to_script(compared) if machines > 1 else None,
        machines_compared=machines,
        left_out=compared["left_out"],
        script=script,
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
    )


def to_markdown(report: Report) -> str:
    """README.md; of a fleet, its fastest machines."""
    newest = [section for section in report.sections if section.newest]
    first = newest[:MOST]
    lines = [(section.run.source, line) for section in first for line in section.cautions]
    cautions = [f"{plain(source, 120)}: {plain(line, 300)}" for source, line in lines]
    bad = [plain(line, 300) for line in report.runs.bad]
    return _template("README.md").render(
        report._asdict(),
        first=first,
        slower=len(newest) - len(first),
        nulls=[null for one in first if (null := report.tested[one.run.name]).sources],
        lists=[("Cautions", cautions), ("Not reported", bad)],
        most=LINES,
    )


def to_learning(report: Report, link: str | None) -> str:
    """learning.md; link: to the file that it is drawn from."""
    assert report.found is not None, "there is nothing to say"
    source = _linked(report.found, link)
    return _template("learning.md").render(found=report.found, figures=report.learning, link=source)


def to_questions(found: Factorial, drawn: Drawn, link: str | None) -> str:
    """questions.md; link: to the file that it is drawn from."""
    return _template("questions.md").render(found=found, drawn=drawn, link=_linked(found, link))


def _linked(of: Section | Reproduction | Factorial, link: str | None) -> str:
    """The file that something is drawn from, in Markdown."""
    source = plain(of.run.source, 120)
    return f"[{source}]({html.escape(link)})" if link else source


def _inlined(figures: Sequence[Drawn]) -> list[tuple[Drawn, Markup, Markup]]:
    """Each figure as it stands in a page, for a desk and for a phone."""
    return [(d, inline(d.svg, d.name, d.alt), inline(d.narrow, f"{d.name}-narrow", d.alt))
            for d in figures]  # fmt: skip


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {name: getattr(wording, name) for name in WORDING}
    environment.filters |= {"doubts": doubts, "facts": of_row, "number": "{:,}".format}
    environment.filters |= {"plain": plain, "linked": _linked, "sight": sight}
    environment.globals |= {
        "interval": wording.interval,
        "span": wording.span,
        "paper": paper,
        "schemes": SCHEMES,
        "shows_digits": {name for name, asked in QUESTIONS.items() if asked.shows_digits},
    }
    return environment.get_template(name)
