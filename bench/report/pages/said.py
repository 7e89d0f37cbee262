"""What is said of a run besides its numbers: facts of its rows and its own, and cautions.

Whatever the schema calls a fact of a row is shown, without a word here. Each caution ends with what
to try.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

import msgspec

from bench.report.wording import TIMES, amount, cut, environment, limits, significant, toll
from zipnet.results.decode import leaves
from zipnet.results.price import Toll
from zipnet.results.quality import FORBID, REMEDIES, SLOWED, SLOWER_CLOCK
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import ResultFile, Row, State

BUSY_SHARE: Final = 0.4  # of the logical cores; below it may be what the run itself had just set up

FACTS: Final = {name: (field.fact, field.unit) for name, field in leaves(Row) if field.fact}


def of_row(row: Any) -> list[str]:
    """Every fact of a record of rows: `compiling 5.77 s`; a list is told by its range and mean."""
    values = {name: getattr(row, name) for name in FACTS}
    return [
        f"{words} {_told(values[name], unit)}"
        for name, (words, unit) in FACTS.items()
        if values[name] is not None
    ]


def of_run(runs: Runs, run: Run) -> dict[str, Any]:
    """What a run says of itself: name and text of each fact, None or "" where it does not."""
    about, machine, commit = run.about, run.about.machine_info, run.about.commit_info
    processor, kinds = machine.cpu, machine.cpu.core_kinds or ()
    dirty = " (with uncommitted changes)" if commit and commit.dirty else ""
    physical, logical = processor.physical_cores or "?", processor.logical_cores or "?"
    apart = f" ({' + '.join(map(str, kinds))} by kind, the fastest first)" if kinds else ""
    gpus = Counter(machine.gpus).items()
    return {
        "Processor": processor.model,
        "Design": ", ".join(filter(None, (processor.core, processor.design))),
        "Extensions": ", ".join(processor.extensions),
        "Cores": f"{physical} physical, {logical} logical{apart}",
        "Memory": machine.memory_gib and f"{significant(machine.memory_gib)} GiB",
        "GPU": ", ".join(gpu if many == 1 else f"{many} {TIMES} {gpu}" for gpu, many in gpus),
        "System": ", ".join(filter(None, (machine.system, processor.arch))),
        "Limits": limits(about),
        "Clock": about.clock_tick and f"ticks of {amount(about.clock_tick, 's')}",
        "Environment": environment(about),
        "Written": about.datetime,
        "Status": f"{about.status}, {about.profile} profile",
        "Commit": ((commit and commit.id) or "")[:12] + dirty,
        "Options": about.options and _listed(msgspec.structs.asdict(about.options), "; "),
        "Dataset": f"{about.dataset.name}, SHA-256 {about.dataset.sha256[:12]}",
        "Software": _listed(about.software),
        "Before": about.state and _readings(about.state.before),
        "After": about.state and _readings(about.state.after),
        "Unknown keys": ", ".join(runs.unknown(run)),
    }


def _told(value: Any, unit: str) -> str:
    if isinstance(value, list) and isinstance(value[0], dict):
        return ", ".join(f"{found.error:g}% {toll(found)}" for found in map(Toll.of, value))
    if isinstance(value, list):
        low, high, mean = min(value), max(value), sum(value) / len(value)
        return f"{low} to {high}, mean {mean:.4g}" if low < high else f"{low}"
    return amount(value, unit) if isinstance(value, float) else str(value)


def _readings(state: State | None) -> str:
    told = msgspec.structs.asdict(state) if state else {}
    if memory := told.get("memory_available"):
        told["memory_available"] = amount(memory, "B")
    return _listed(told)


def _listed(values: Mapping[str, Any], between: str = ", ") -> str:
    """Names and values of what is known: {"cpu_mhz": 2600.0, "power": None} is cpu mhz 2600."""
    parts = []
    for key, value in values.items():
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        shown = ", ".join(map(str, value)) if isinstance(value, list) else shown
        if value is not None:
            parts.append(f"{cut(key.replace('_', ' '), 60)} {cut(shown, 120)}")
    return between.join(parts)


def announced(runs: Runs) -> Iterator[str]:
    """What a terminal is told: of the run that stands for each machine, and of a machine's last
    run where that contradicts itself.
    """
    last, newest = {run.name: run for run in runs.runs}, set(map(id, runs.newest))
    for run in runs.runs:
        if id(run) in newest or (run.findings and run is last[run.name]):
            yield from (f"{run.source}: {line}" for line in cautions(runs, run))


def cautions(runs: Runs, run: Run) -> list[str]:
    """Collect from the run as a whole, its state, its rows and the checker."""
    rows, excluded = runs.of(run), runs.excluded(run)
    lines = [*_profile(run), *_state(run.about)]
    lines += _doubts(rows["quality"][rows["sound"]])
    for name, warnings in zip(rows["fullname"], rows["warnings"], strict=True):
        lines += [f"{name}: {warning}" for warning in warnings or ()]
    lines += [f"check: {line}" for line in run.findings]
    lines += [f"{run.namesake}. Give one of them another name."] if run.namesake else []
    for name, reason in excluded[:1]:  # all of them stand below the table of rows
        lines.append(
            f"check: {len(excluded)} of {run.end - run.begin} rows cannot be right and are left "
            f"out; {name}: {reason}. Measure again, and keep files as they were written."
        )
    return lines


def doubts(quality: str | None) -> list[str]:
    """The kinds of doubt that speak against a row."""
    kinds = [part.partition(":")[0] for part in (quality or "").split("; ")]
    return [kind for kind in kinds if kind in REMEDIES]


def _profile(run: Run) -> Iterator[str]:
    about = run.about
    if run.dirty:
        yield "Measured with uncommitted changes: equal to no other run. Commit, and measure again."
    if about.status == "interrupted":
        yield "The run was interrupted: what is missing was not measured. Run it again."
    if about.scope == "part":
        yield "A part of the benchmarks was asked for, or some failed; see what is absent."
    if about.profile in ("smoke", "quick"):
        name = about.profile.capitalize()
        yield f"{name} profile: few rounds a row. For firm numbers use standard or full."
    if about.dataset.name != "usps":
        yield (
            f"Trained on {about.dataset.name}, not on the zip-code digits: the speed holds, the "
            "misses do not compare with those of 1989. Fetch usps."
        )


def _state(about: ResultFile) -> Iterator[str]:
    if about.schema > 1 or about.state is None:
        return  # each row was watched, and says what happened meanwhile
    before, after = about.state.before or State(), about.state.after or State()
    # A load of the minute before holds the run's own start: it is asked only where nothing else is.
    load, cores = before.load_1min, about.machine_info.cpu.logical_cores
    if load is not None and cores and load > BUSY_SHARE * cores:
        yield (
            f"The machine was busy before the run (load {load:g} on {cores} cores). "
            "Close what else runs."
        )
    if "battery" in (before.power, after.power):
        yield "On battery, where clocks are often held down. Plug it in."
    if before.cpu_mhz and after.cpu_mhz and after.cpu_mhz < SLOWER_CLOCK * before.cpu_mhz:
        yield (
            f"The processor's clock fell from {before.cpu_mhz:g} to {after.cpu_mhz:g} MHz. Let it "
            "cool, and try a fixed clock."
        )


def _doubts(quality: Iterable[str]) -> Iterator[str]:
    """A line for each kind of doubt that could change a verdict: the table says of which row.

    Few rounds are what the profile asked for, and noise is in the interval already.
    """
    of_rows = [doubts(text) for text in quality]
    for those, words in (
        (FORBID[1:], "allow no verdict"),
        (SLOWED, "may be slower than this machine is"),
    ):
        found = [[kind for kind in kinds if kind in those] for kinds in of_rows]
        counts = Counter(chain.from_iterable(found)).most_common()
        if counts:
            listed = ", ".join(f"{kind} {count}" for kind, count in counts)
            yield (
                f"{sum(map(bool, found))} of {len(found)} rows {words} ({listed}); the table of "
                f"rows says which. {REMEDIES[counts[0][0]]}"
            )
