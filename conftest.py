"""One folder at a time: bare `pytest` runs tests/, `pytest --benchmark-only` runs bench/.

A path named on the command line is collected in any case.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

# Here and not in bench/conftest.py, because options must be known before folders are visited.
pytest_plugins = ["bench.measuring.plugin"]


@pytest.hookimpl(tryfirst=True)  # before the plugin loads torch
def pytest_configure(config: pytest.Config) -> None:
    """Ask now for what the headline will need: after the last row it would be too late."""
    if config.getoption("benchmark_only"):
        from bench.measuring.plugin import in_one_line

        with in_one_line():
            for module in ("bench.report.pages.sections", "zipnet.results.collect"):
                importlib.import_module(module)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folder that was not asked for."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return None
    other = config.rootpath / ("tests" if config.getoption("benchmark_only") else "bench")
    return True if collection_path.is_relative_to(other) else None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What was measured, read back and checked from the file that was saved.

    Here, because measuring and showing know nothing of each other.
    """
    from bench.measuring.plugin import saved

    if (file := saved(config)) is None:
        return
    from bench.report.compare.tables import sight
    from bench.report.pages.sections import headline
    from zipnet.results.collect import collect
    from zipnet.results.noise import nulls

    runs = collect([file])
    terminalreporter.write_line("")
    if runs.runs:
        terminalreporter.write_line(headline(runs))
        for null in nulls(collect([str(Path(file).parent)])).values():
            terminalreporter.write_line(f"{null.machine}: {sight(null)}")
    wrong = runs.bad or [runs.wrong(run) for run in runs.runs]
    terminalreporter.write_line(f"saved {file}, checked: {wrong[0] or 'ok'}")
    terminalreporter.write_line("next: python -m bench report")
