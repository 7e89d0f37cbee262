"""pytest-benchmark's own options: each works here, or is refused before minutes are spent.

Profiles say how long a row is measured, `python -m bench compare` compares, and pytest-benchmark
prints its table only when it is told to.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import pytest
from pytest_benchmark import plugin

from zipnet.errors import UserError, shown

WRITES: Final = ("json", "save", "autosave")
# Options of which pytest-benchmark itself takes care, or which change nothing that is measured.
WORK: Final = {*WRITES, "only", "skip", "enable", "disable", "quiet", "verbose", "save_data",
               "storage", "netrc"}  # fmt: skip
TABLE: Final = {"sort", "group_by", "columns", "name", "time_unit"}
COMPARE: Final = "compare saved runs with: python -m bench compare A B"
INSTEAD: Final = {  # of the others
    "compare": COMPARE,
    "compare_fail": f"{COMPARE} --fail-if-slower 5%",
    "histogram": "draw figures with: python -m bench report",
    "cprofile": "profile with: python -m cProfile -m zipnet train",
}
TIMING: Final = "how rows are timed is the same for everybody; choose how long with --profile"


def check(config: pytest.Config) -> None:
    """Raise UserError where an option would be without effect, or would fail at the end."""
    for name, default in _defaults().items():
        value = config.getoption(f"benchmark_{name}", default)
        if value == default or name in WORK:
            continue
        option = f"--benchmark-{name.replace('_', '-')}"
        if name not in TABLE:
            kind = "cprofile" if name.startswith("cprofile") else name
            raise UserError(f"{option} has no effect here: {INSTEAD.get(kind, TIMING)}")
        if not config.getoption("benchmark_verbose"):
            raise UserError(f"{option} has no effect without --benchmark-verbose, which prints the "
                            "table of pytest-benchmark")  # fmt: skip
    path = config.getoption("benchmark_json", None)
    if path is not None:
        _writable(path)


def writes(config: pytest.Config) -> bool:
    """Whether pytest-benchmark was asked to write a file of its own."""
    return any(config.getoption(f"benchmark_{name}", None) for name in WRITES)


def _defaults() -> dict[str, Any]:
    """What each option is where nobody gives it, by its name without `benchmark_`."""
    parser = argparse.ArgumentParser(add_help=False)

    class Collecting:
        addoption = staticmethod(parser.add_argument)

        def getgroup(self, _: str) -> Collecting:
            return self

    plugin.pytest_addoption(Collecting())  # type: ignore[no-untyped-call]
    return {name.removeprefix("benchmark_"): value
            for name, value in vars(parser.parse_args([])).items()}  # fmt: skip


def _writable(path: Path) -> None:
    """Open the file as it will be opened, and leave what is in it."""
    there = path.exists()
    try:
        path.open("ab").close()
        if not there:
            path.unlink()
    except OSError as error:
        where = f"--benchmark-json {shown(str(path), 200)} cannot be written: {error.strerror}"
        raise UserError(f"{where}; give a file in a folder that is there") from None
