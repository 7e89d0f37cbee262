"""One folder at a time: bare `pytest` runs tests/, `pytest --benchmark-only` runs bench/.

A path named on the command line is collected in any case.
"""

from __future__ import annotations

from pathlib import Path

import pytest

# Here and not in bench/conftest.py, because options must be known before folders are visited.
pytest_plugins = ["bench.measuring.plugin"]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folder that was not asked for."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return None
    other = config.rootpath / ("tests" if config.getoption("benchmark_only") else "bench")
    return True if collection_path.is_relative_to(other) else None
