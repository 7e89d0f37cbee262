"""From a file on disk to a ResultFile: the contract of results/README.md, checked field by field.

Only what the report uses is read; unknown keys are left alone, so that a file may say more than
this reader knows. Whether the numbers also agree with one another is asked in bench/report/check.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from bench.report.files import strict_json
from bench.report.files.border import Fields, found, plain
from bench.report.records import (
    SHOWING_DIGITS,
    Absent,
    Machine,
    ResultFile,
    Row,
    Score,
    State,
    Stated,
    Watch,
)
from bench.report.statistics.timings import Timings
from zipnet.errors import UserError

SCHEMA: Final = 2  # and 1, which had no laps and watched no rows
STATUSES: Final = ("complete", "interrupted")
SCOPES: Final = ("all", "part")
PROFILES: Final = ("quick", "standard", "full")

# pytest-benchmark's names for what it derives from the timings.
STATISTICS: Final = (
    "min", "max", "mean", "stddev", "median", "iqr", "q1", "q3", "iqr_outliers", "stddev_outliers",
    "ld15iqr", "hd15iqr", "ops", "total",
)  # fmt: skip
STATED_ALWAYS: Final = ("min", "max", "median")

# Timings outside are no clock's: below a tenth of a nanosecond, above thirty years. Only a floor
# may take no time at all, where the clock is too coarse for it.
SHORTEST: Final = 1e-10
LONGEST: Final = 1e9


def read(path: Path, source: str = "", address: str = "") -> ResultFile:
    """Read one result file; a UserError says in one line what is wrong with it.

    source, address: what it is called and what tells it from others, where that is known already.
    """
    source, address = source or source_name(path), address or os.path.realpath(path)
    return understood(strict_json.load(path, source), source, address, path)


def understood(content: Any, source: str, address: str, path: Path | None = None) -> ResultFile:
    """Check what a file says; `path` is None where it lies on no disk of ours."""
    top = Fields.of(content, source)
    schema = _our_schema(top)
    rows = tuple(map(_row, _benchmarks(top).each("benchmarks")))
    dataset, state = top.fields("dataset"), top.fields_or_none("state")
    commit = top.fields_or_none("commit_info")
    return ResultFile(
        path=path,
        address=address,
        source=source,
        schema=schema,
        written=top.text("datetime"),
        commit=commit.text_or_none("id") if commit else None,
        status=_one_of(top, "status", STATUSES),
        scope=_one_of(top, "scope", SCOPES),
        profile=_one_of(top, "profile", PROFILES),
        workload=_workload(top.fields("workload")),
        dataset=dataset.text("name"),
        dataset_sha256=dataset.text("sha256"),
        software=top.fields("software").scalars(),
        before=_state(state, "before"),
        after=_state(state, "after"),
        absent=tuple(map(_absent, top.each("absent"))),
        machine=_machine(top.fields("machine_info")),
        rows=rows,
        watched=any(row.watches for row in rows),
    )


def source_name(path: Path) -> str:
    """The name a reader sees: folder and file, nothing of where they lie on somebody's disk."""
    absolute = path.absolute()
    return plain("/".join(absolute.parts[-2:]))


def _our_schema(top: Fields) -> int:
    if "schema" not in top.values:
        raise top.wrong("schema", f"{SCHEMA}: is this a result file of zipnet?")
    schema = top.integer("schema", least=1)
    if schema > SCHEMA:
        raise UserError(
            f"{top.file}: schema is {found(schema)}, newer than the {SCHEMA} that this version "
            "reads; expected an older file, or a newer zipnet to read it"
        )
    return schema


def _one_of(fields: Fields, key: str, known: tuple[str, ...]) -> str:
    value = fields.text(key)
    if value not in known:
        raise fields.wrong(key, f"one of: {', '.join(known)}")
    return value


def _benchmarks(top: Fields) -> Fields:
    if not top.has("benchmarks"):
        raise top.wrong("benchmarks", "a list of rows")
    return top


def _workload(fields: Fields) -> dict[str, Any]:
    """Counts are whole numbers; the hash is text. Any further key is kept for the hash's sake."""
    for key in ("macs", "step_macs", "presentations"):
        fields.integer(key, least=1)
    fields.text("hash")
    for key, value in fields.values.items():
        if isinstance(value, list | dict):  # the checker writes it as JSON: no depth to fall into
            raise fields.wrong(key, "text or a number")
    return dict(fields.values)


def _state(state: Fields | None, when: str) -> State:
    moment = state.fields_or_none(when) if state else None
    if moment is None:
        return State()
    load, mhz, memory, throttled, limit, gpu_mhz, celsius = moment.numbers_or_none(
        "load_1min", "cpu_mhz", "memory_available", "throttled", "speed_limit", "gpu_mhz",
        "gpu_celsius",
    )  # fmt: skip
    power = moment.text_or_none("power")
    reasons = moment.text("gpu_throttle") if moment.says("gpu_throttle") else None
    return State(load, mhz, memory, throttled, limit, gpu_mhz, celsius, power, reasons)


def _absent(fields: Fields) -> Absent:
    return Absent(
        engine=fields.text_or_none("engine"),
        device=fields.text_or_none("device"),
        question=fields.text_or_none("question"),
        reason=fields.text("reason"),
    )


def _machine(fields: Fields) -> Machine:
    cpu = fields.fields("cpu")
    return Machine(
        name=fields.text("name"),
        cpu=cpu.text("model"),
        physical_cores=cpu.integer_or_none("physical_cores", least=1),
        logical_cores=cpu.integer_or_none("logical_cores", least=1),
        arch=cpu.text_or_none("arch"),
        memory_gib=fields.number_or_none("memory_gib"),
        gpus=fields.texts("gpus"),
        system=fields.text_or_none("system"),
    )


def _row(entry: Fields) -> Row:
    about, stats = entry.fields("extra_info"), entry.fields("stats")
    question = about.text("question")
    network = question in SHOWING_DIGITS
    seconds = _timings(stats, may_be_zero=not network)
    return Row(
        fullname=entry.text("fullname"),
        question=question,
        engine=about.text("engine") if network else about.text_or_none("engine"),
        device=about.text("device"),
        device_name=about.text_or_none("device_name"),
        dtype=about.text_or_none("dtype"),
        threads=about.integer_or_none("threads", least=1),
        batch=about.integer_or_none("batch"),
        steps=about.integer("steps") if network else about.integer_or_none("steps"),
        presentations=(
            about.integer("presentations", least=1)
            if network
            else about.integer_or_none("presentations")
        ),
        macs=about.integer_or_none("macs"),
        bytes=about.integer_or_none("bytes"),
        dataset=about.text("dataset") if network else about.text_or_none("dataset"),
        dataset_sha256=about.text_or_none("dataset_sha256"),
        seed=about.integer_or_none("seed"),
        replicas=about.integer_or_none("replicas", least=1),
        replica_misses=about.integers("replica_misses") if about.has("replica_misses") else (),
        train=_score(about, "train", required=question == "training"),
        test=_score(about, "test", required=question == "training"),
        warnings=about.texts("warnings"),
        timings=Timings(seconds, _laps(about, len(seconds))),
        watches=tuple(map(_watch, about.each("watch"))),
        stated=_stated(stats),
    )


def _stated(stats: Fields) -> Stated:
    given = zip(STATISTICS, stats.numbers_or_none(*STATISTICS), strict=True)
    return Stated(
        rounds=stats.integer("rounds", least=1),
        iterations=stats.integer_or_none("iterations"),
        numbers={name: value for name, value in given if value is not None}
        | {name: stats.number(name) for name in STATED_ALWAYS},
        outliers=stats.text_or_none("outliers"),
    )


def _timings(stats: Fields, *, may_be_zero: bool) -> tuple[float, ...]:
    timings = stats.numbers("data")
    if min(timings) >= SHORTEST and max(timings) <= LONGEST:
        return timings
    for at, timing in enumerate(timings):
        if not (SHORTEST <= timing <= LONGEST or (may_be_zero and timing == 0)):
            raise UserError(
                f"{stats.file}: {stats.path}.data[{at}] is {timing!r}; "
                f"expected {SHORTEST:g} to {LONGEST:g} seconds"
            )
    return timings


def _laps(about: Fields, rounds: int) -> tuple[int, ...]:
    if not about.has("laps"):
        return (rounds,)
    laps = about.integers("laps", least=1)
    if sum(laps) != rounds:
        raise about.wrong("laps", f"rounds of each lap, {rounds} in all")
    return laps


def _watch(fields: Fields) -> Watch:
    own, others, stolen = fields.numbers_or_none(
        "own_cpu_seconds", "other_cpu_seconds", "stolen_cpu_seconds"
    )
    before, after = _state(fields, "before"), _state(fields, "after")
    return Watch(fields.number("seconds"), own, others, stolen, before, after)


def _score(about: Fields, key: str, *, required: bool) -> Score | None:
    score = about.fields(key) if required else about.fields_or_none(key)
    return Score(score.number("loss"), score.integer("misses")) if score else None
