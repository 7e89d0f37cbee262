"""The tables of a notebook: runs and their columns as frames of pandas."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import pandas as pd

from zipnet.results.schema import Absent, ResultFile, Row
from zipnet.results.statistics import Floats
from zipnet.results.table import counts, flat

if TYPE_CHECKING:
    from zipnet.results.runs import Run, Runs

FREE_TEXT: Final = ("quality", "forbidden", "invalid")  # no two rows say the same
NAMES: Final = {  # of a file's columns, shorter than the paths by which the file has them
    "machine_info_name": "machine", "cpu_model": "cpu", "cpu_physical_cores": "physical_cores",
    "cpu_logical_cores": "logical_cores", "cpu_arch": "arch", "machine_info_memory_gib":
    "memory_gib", "machine_info_gpus": "gpus", "machine_info_system": "system", "datetime":
    "written", "commit_info_id": "commit", "commit_info_dirty": "dirty", "dataset_name": "dataset",
}  # fmt: skip
LISTS: Final = ("warnings", "replica_misses", "levels")
WHOLE: Final = {*counts(Row), "rounds", "retaken", "works"}


def files(runs: Runs) -> pd.DataFrame:
    """A line a file."""
    columns = flat([run.about for run in runs.runs], ResultFile)
    frame = pd.DataFrame(columns).drop(columns="absent").rename(columns=NAMES)
    frame["workload"] = [about["hash"] for about in columns["workload"]]
    frame["machine"] = [run.name for run in runs.runs]
    for name in ("software", "gpus", "cpu_extensions", "cpu_core_kinds", "options_engines",
                 "options_devices", "options_threads"):  # fmt: skip
        frame[name] = [_joined(value) for value in frame[name]]
    sound = runs.columns["sound"]
    frame["rows"] = [run.end - run.begin for run in runs.runs]
    frame["sound_rows"] = [int(sound[run.begin : run.end].sum()) for run in runs.runs]
    frame["findings"] = ["; ".join(run.findings) for run in runs.runs]
    frame["newest"] = _newest(runs)
    frame.insert(0, "source", [run.source for run in runs.runs])
    return frame


def rows(runs: Runs) -> pd.DataFrame:
    """A line a row: what its file says of it as a whole, then its own columns."""
    of = runs.columns["file"]
    facts = {
        "source": [run.source for run in runs.runs],
        "machine": [run.name for run in runs.runs],
        "written": [run.about.datetime for run in runs.runs],
        "status": [run.about.status for run in runs.runs],
        "profile": [run.about.profile for run in runs.runs],
    }
    frame: dict[str, Any] = {}
    for name, texts in facts.items():
        codes, words = pd.factorize(np.array(texts, object))
        frame[name] = pd.Categorical.from_codes(codes[of], words)
    frame["newest"] = np.array(_newest(runs), bool)[of]
    for name, column in runs.columns.items():
        is_text = column.dtype == object and name not in FREE_TEXT and name not in LISTS
        frame[name] = pd.Categorical(column) if is_text else column
    return pd.DataFrame(frame)


def timings(found: Iterable[tuple[Run, tuple[ResultFile, list[Floats]]]]) -> pd.DataFrame:
    """A line a round."""
    parts = [pd.DataFrame({"source": [], "fullname": [], "lap": [], "round": [], "value": []})]
    for run, (about, values) in found:
        for row, rounds in zip(about.benchmarks, values, strict=True):
            laps = row.extra_info.laps or [len(rounds)]
            parts.append(pd.DataFrame({
                "source": run.source, "fullname": row.fullname,
                "lap": np.repeat(np.arange(1, len(laps) + 1), laps),
                "round": np.arange(1, len(rounds) + 1), "value": rounds,
                "unit": row.extra_info.unit,
            }))  # fmt: skip
    return pd.concat(parts[1:] or parts, ignore_index=True)


def absent(runs: Runs) -> pd.DataFrame:
    """A line for each thing that was not measured."""
    lines = [{"source": run.source} | msgspec.to_builtins(gap)
             for run in runs.runs for gap in run.about.absent]  # fmt: skip
    return pd.DataFrame(lines, columns=["source", *Absent.__struct_fields__])


def refused(runs: Runs) -> pd.DataFrame:
    """A line for each thing that could not be read."""
    return pd.DataFrame({"reason": pd.Series(runs.bad, dtype="str")})


def records(frame: pd.DataFrame) -> list[Any]:
    """A named tuple a row, for templates: None where a value is missing, counts as int."""
    columns = []
    for name, column in frame.items():
        values = [None if isinstance(v, float) and math.isnan(v) else v for v in column.tolist()]
        if name in WHOLE:
            values = [None if value is None else int(value) for value in values]
        columns.append(values)
    made = namedtuple("Record", frame.columns)  # type: ignore[misc]
    return [made(*values) for values in zip(*columns, strict=True)]


def _newest(runs: Runs) -> list[bool]:
    stands = {id(run) for run in runs.newest}
    return [id(run) in stands for run in runs.runs]


def _joined(value: Any) -> str | None:
    if isinstance(value, dict):
        return ", ".join(f"{key} {version}" for key, version in value.items())
    return ", ".join(map(str, value)) if value else None
