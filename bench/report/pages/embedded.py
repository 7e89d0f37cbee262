"""What index.html carries for its scripts: JSON that no text in it can break out of.

A page of ten thousand files stays below 5 MB: text that repeats is kept once, a time has seven
digits, and the newest sound run speaks for a machine where two machines are compared.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup

from bench.report.pages.runs import Run
from bench.report.records import ResultFile
from bench.report.rows.examined import Examined
from bench.report.rows.keys import ALL, Key, keys
from bench.report.rows.matching import rows_by_key
from bench.report.rows.measures import Measure, latest
from bench.report.verdicts.null import Null
from zipnet import paper

DIGITS: Final = 7  # of a time; more than any machine repeats
MOST_BYTES: Final = 3_000_000  # of what is compared

# What HTML or JavaScript could take for something else, inside a string where JSON has all of it.
ESCAPES: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def to_script(value: Any) -> Markup:
    """JSON for a <script type="application/json">."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(ESCAPES))  # noqa: S704 (nothing is left to escape)


def runs_data(runs: Sequence[Run], sections: Mapping[int, int]) -> dict[str, Any]:
    """Every run as the table of machines shows it; sections: by id() of a run, its number."""
    names, whos = Strings(), Strings()
    folders: dict[int, str] = {}
    links = {_links(run) for run in runs}
    lines = []
    for run in runs:
        name, (folder, _, file) = names.of(run.file.machine.name), run.file.source.rpartition("/")
        own = folders.setdefault(name, folder) == folder
        fastest, learned = run.fastest, run.learned
        lines.append(
            [
                name,
                whos.of(fastest.source.who) if fastest else None,
                rounded(fastest.seconds.median) if fastest else None,
                int(fastest.measured) if fastest else 0,
                learned.test.misses if learned and learned.test else None,
                learned.train.misses if learned and learned.train else None,
                run.file.written[:10],
                f"/{file}" if own else run.file.source,
                sections.get(id(run), 0),
            ]
        )
    return {
        "sun": paper.SUN_TRAINING_SECONDS,
        "links": links.pop() if len(links) == 1 else None,
        "names": names.known,
        "folders": [folders[at] for at in range(len(names.known))],
        "whos": whos.known,
        "runs": lines,
    }


def _links(run: Run) -> str | None:
    """What stands before a source to make it a link, as encodeURIComponent would write it."""
    path = quote(run.file.source, safe="/!*'()")
    return run.link.removesuffix(path) if run.link and run.link.endswith(path) else None


def compare_data(examined: Sequence[Examined], tested: Mapping[str, Null]) -> dict[str, Any]:
    """The newest sound run of each machine, as far as there is room; the newest machines first."""
    sound = [found for found in examined if not found.findings]
    chosen = {id(file) for file in latest(found.file for found in sound)}
    newest = [found for found in sound if id(found.file) in chosen]
    columns = sorted({key for found in newest for m in found.measures for key in keys(m)},
                     key=Key.order)  # fmt: skip
    index = {key: at for at, key in enumerate(columns)}
    about: dict[int, dict[str, Any]] = {}
    doubts, machines, room = Strings(), [], MOST_BYTES
    for found in sorted(newest, key=lambda found: found.file.written, reverse=True):
        machine = _machine(found, index, about, doubts, tested.get(found.file.machine.name))
        room -= len(json.dumps(machine, separators=(",", ":")))
        if room < 0:
            break
        machines.append(machine)
    return {
        "keys": [about.get(at, {"text": key.text, "kind": "", "unit": ""})
                 for at, key in enumerate(columns)],
        "doubts": doubts.known,
        "facts": [what for what, _ in _facts(newest[0].file)] if newest else [],
        "presentations": paper.PRESENTATIONS,
        "machines": sorted(machines, key=lambda machine: str(machine["name"])),
        "left_out": len(newest) - len(machines),
    }  # fmt: skip


class Strings:
    """Text that is said many times, kept once and named by a number."""

    def __init__(self) -> None:
        self.known: list[str] = []
        self._index: dict[str, int] = {}

    def of(self, text: str) -> int:
        """The number of a text."""
        if text not in self._index:
            self._index[text] = len(self.known)
            self.known.append(text)
        return self._index[text]


def _machine(
    found: Examined,
    index: Mapping[Key, int],
    about: dict[int, dict[str, Any]],
    doubts: Strings,
    null: Null | None,
) -> dict[str, Any]:
    rows = []
    for key, measure in rows_by_key(found, "it")[0].items():
        at = index[key]
        own = about.setdefault(
            at,
            {"text": key.text, "kind": measure.kind, "unit": measure.unit[0]}
            | ({"all": True} if key.threads == ALL else {}),
        )
        rows.append([at, *_row(measure, own["unit"], doubts)])
    file = found.file
    single = {"single": True} if file.machine.logical_cores == 1 else {}
    return single | {
        "name": file.machine.name,
        "source": file.source,
        "workload": str(file.workload["hash"])[:16],
        "noise": {kind: rounded(noise) for kind, noise in (null.noise if null else {}).items()},
        "facts": [value for _, value in _facts(file)],
        "interrupted": file.status == "interrupted",
        "quick": file.profile == "quick",
        "invalid": len(found.excluded),
        "rows": sorted(rows),
    }


def _row(measure: Measure, unit: str, doubts: Strings) -> list[Any]:
    """Seconds per unit, its interval in millionths of a natural logarithm, then what is unusual."""
    each = measure.seconds_per_unit
    known = each.median and each.low and each.high
    values = [
        rounded(each.median),
        round(1e6 * math.log(each.median / each.low)) if known and each.low else None,
        round(1e6 * math.log(each.high / each.median)) if known and each.high else None,
        doubts.of(measure.forbidden) if measure.forbidden else None,
        measure.unit[0] if measure.unit[0] != unit else None,
        measure.row.presentations
        if measure.row.question == "training" and measure.row.presentations != paper.PRESENTATIONS
        else None,
    ]
    while values[-1] is None:
        values.pop()
    return values


def _facts(file: ResultFile) -> list[tuple[str, str | None]]:
    """In what two runs may differ besides their machines; as compare/notes.py has it."""
    cores = file.machine.logical_cores
    dtypes = sorted({row.dtype for row in file.rows if row.shows_digits and row.dtype})
    return [
        ("schema", str(file.schema)),
        ("workload", str(file.workload["hash"])[:12]),
        ("commit", (file.commit or "unknown")[:8]),
        ("torch", file.software.get("torch")),
        ("profile", file.profile),
        ("digits", file.dataset),
        ("digits, by their hash", file.dataset_sha256[:12]),
        ("all threads", str(cores) if cores else None),
        ("precision", ", ".join(dtypes)),
    ]


def rounded(value: float) -> float:
    """So many significant digits."""
    return float(f"{value:.{DIGITS}g}")
