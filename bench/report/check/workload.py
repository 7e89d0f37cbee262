"""What a file says about itself as a whole: the network's counts, and its own name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.report.files.border import found
from bench.report.records import ResultFile
from zipnet import paper

COUNTS: Final = {
    "params": paper.PARAMS,
    "macs": paper.MACS,
    "activations": paper.ACTIVATIONS,
    "connections": paper.CONNECTIONS,
    "units": paper.UNITS,
    "step_macs": paper.STEP_MACS,
    "passes": paper.PASSES,
    "train_digits": paper.TRAIN_DIGITS,
    "presentations": paper.PRESENTATIONS,
}
NAMED: Final = re.compile(r"(\d{8}T\d{6})Z_([0-9a-f]{7,40}|nocommit)(-\d+)?\.json")
LONGEST_RUN: Final = timedelta(days=2)  # a full run takes hours; the name says when it began
CLOCKS: Final = timedelta(minutes=1)  # between name and datetime: a clock may be set meanwhile


def findings(file: ResultFile) -> Iterator[str]:
    """What is wrong with the file as a whole."""
    for key, expected in COUNTS.items():
        value = file.workload.get(key)
        if value != expected:
            yield f"workload.{key} is {found(value)}; the network of 1989 has {expected}"
    if file.workload["hash"] != workload_hash(file.workload):
        yield "workload.hash is not the SHA-256 of the other workload keys"
    yield from _name(file)


def workload_hash(workload: dict[str, Any]) -> str:
    """SHA-256 over the JSON of every key but the hash itself."""
    counts = {key: value for key, value in workload.items() if key != "hash"}
    text = json.dumps(counts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _name(file: ResultFile) -> Iterator[str]:
    """A name that the harness gave says when the run began and of which commit it was."""
    given = NAMED.fullmatch(file.source.rpartition("/")[2])
    if given is None:
        return  # renamed by somebody, who may
    try:
        began = datetime.strptime(given[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        written = datetime.fromisoformat(file.written)
    except ValueError:
        yield f"datetime is {found(file.written)}, or the file's name has no time in it"
        return
    written = written if written.tzinfo else written.replace(tzinfo=UTC)
    if not -CLOCKS <= written - began <= LONGEST_RUN:
        yield f"datetime is {file.written}, but by its name the run began at {given[1]}Z"
    if file.commit and given[2] != "nocommit" and not file.commit.startswith(given[2]):
        yield f"commit is {file.commit[:12]}, but by its name it was {given[2]}"
