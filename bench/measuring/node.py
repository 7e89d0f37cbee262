"""python -m bench node: the laws, then the benchmarks, on a machine that reaches no network.

Every stage is a process of its own, so that none holds the GPU while another needs it (a node may
grant it to one process at a time), and a stage that crashes is a line here. Nothing is downloaded:
libraries are installed beforehand, and digits come from ZIPNET_DATA, the cache or fonts.

The time is shared out beforehand, and what matters most goes first: the laws of the engines asked
for, each with its share, then rows by their worth, begun only while time is left. An engine that
does not run, or breaks a law, is left out; the others are measured, also where the time did not
suffice for all laws, because every row is verified before it is timed. Where engines are named, no
other one is tried.

Its exit codes stand in its --help.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.measuring.interrupts import ENDINGS, as_ctrl_c
from bench.measuring.progress import BY_WORTH, TIME_UP, spoken
from zipnet import data, engines
from zipnet.engines.trial import BROKEN
from zipnet.errors import UserError, choice

Pair = tuple[str, str]
"""An engine and the device that it runs on."""

ROOT: Final = Path(__file__).resolve().parents[2]
LAWS: Final = "tests/test_engine_laws.py"
LAWS_SHARE: Final = 0.6  # of the time at most, for all laws; the rest is the benchmarks'
COMPILERS: Final = ("fused", "xla", "compiled")  # whose laws take longest, the slowest last
MARGIN: Final = 0.1  # of the time, in which the last row and the saving must end
PATIENCE = 10.0  # seconds in which a stage that was told to stop may end its round
GRACE = 20.0  # seconds after it was told again, in which it saves what it has


@dataclass(frozen=True)
class Wanted:
    """What was asked for; None is every engine that runs here, and accelerators else the CPU."""

    devices: list[str] | None
    engines: list[str] | None
    profile: str
    seconds: float
    results: Path


def measure_node(wanted: Wanted) -> int:
    """Run the stages; returns the exit code. Raises UserError where nothing can run."""
    # A batch script's background jobs are born deaf to Ctrl-C, by which a stage is told to stop.
    for ending in ENDINGS:
        if ending is signal.SIGINT or signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, as_ctrl_c)
    deadline = time.monotonic() + wanted.seconds
    for name in wanted.engines or []:
        choice("--engines", name, engines.names())
    listed = _engines(wanted.engines or [])
    ready = _chosen(listed, wanted)
    missed = _missed(listed, ready, wanted)
    for line in missed:
        _say(line)
    digits = data.without_network()
    for line in _plan(wanted, ready, digits):
        _say(line)
    held = _held_to_the_laws(ready, time.monotonic() + LAWS_SHARE * wanted.seconds)
    lawful = [pair for pair in ready if held[pair[0]] is not False]
    if not lawful:
        _say("no benchmark is run: an engine that breaks a law measures something else")
        return 1
    before = set(wanted.results.glob("*/*.json"))
    measured = _stage("benchmarks", _benchmarks(wanted, lawful, digits, deadline), deadline)
    files = sorted(set(wanted.results.glob("*/*.json")) - before)
    if not files:
        _say("there is no result file")
        return 1
    check = [sys.executable, "-m", "bench", "check", *map(str, files)]
    sound = _stage("check", check, time.monotonic() + GRACE)
    for file in files:
        _say(f"bring home {file}")
    return 0 if measured == sound == 0 and all(held.values()) and not missed else 1


def _named(pairs: list[Pair]) -> tuple[str, str]:
    """Their engines and their devices, as options take them."""
    engines, devices = (",".join(dict.fromkeys(names)) for names in zip(*pairs, strict=True))
    return engines, devices


def _plan(wanted: Wanted, ready: list[Pair], digits: str) -> Iterator[str]:
    """What will be done, a line a stage, before anything is."""
    engines, devices = _named(ready)
    yield f"{engines} on {devices}, digits: {digits}, {spoken(wanted.seconds)} in all"
    yield f"plan: the laws, engine by engine, {spoken(LAWS_SHARE * wanted.seconds)} at most"
    rows = ", ".join(file.removeprefix("bench_") for file in BY_WORTH)
    yield f"plan: benchmarks, profile {wanted.profile}, while time is left: {rows}"
    yield "plan: check of the result file"


def _held_to_the_laws(ready: list[Pair], end: float) -> dict[str, bool | None]:
    """Run the laws, an engine a stage, each with an even share of what is left until the end.

    Returns by engine whether it kept them; None where its time was up and none was broken so far.
    What compiles comes last, with what the others left over.
    """
    held: dict[str, bool | None] = {}
    last = {engine: at for at, engine in enumerate(COMPILERS)}
    engines = sorted({engine: 0 for engine, _ in ready}, key=lambda engine: last.get(engine, -1))
    for left, engine in zip(range(len(engines), 0, -1), engines, strict=True):
        named = ["-".join(pair) for pair in ready if pair[0] == engine]
        share = max(0.0, end - time.monotonic()) / left
        # No law begins in the last part, so that few are cut short; and no plugin that writes a
        # summary of its own, which takes it seconds to load, is in the way of the end.
        within = f"--within={max(1.0, (1 - MARGIN) * share):.0f}"
        quietly = ("-q", "-x", "--tb=short", "-p", "no:hypothesispytest", within)
        asked = (LAWS, "-k", " or ".join(named))
        command = [sys.executable, "-m", "pytest", *quietly, *asked]
        # Nothing is timed, and a thread that spins while it waits would only hold up the others.
        quiet = {"ZIPNET_LAWS": ",".join(named), "OMP_WAIT_POLICY": "passive"}
        code = _stage(f"laws of {engine}", command, time.monotonic() + share, **quiet)
        held[engine] = None if code is None else code == 0
        if code:
            _say(f"{engine} is not measured: it broke a law")
        elif code is None:
            _say(f"{engine} was not held to all laws; each row is verified before it is timed")
    return held


def _engines(named: list[str]) -> list[tuple[str, str, str]]:
    """(engine, device, "ready" or the reason why not), as python -m zipnet engines says."""
    command = [sys.executable, "-m", "zipnet", "engines", *named]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise UserError(f"python -m zipnet engines fails here: {listed.stderr}")
    fields = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return [(engine, device, reason) for engine, device, reason in fields]


def _chosen(listed: list[tuple[str, str, str]], wanted: Wanted) -> list[Pair]:
    """The engines and devices to run. Raises UserError with the reasons where there are none."""
    devices = list(dict.fromkeys(device for _, device, _ in listed))
    for name in wanted.devices or []:
        choice("--devices", name, devices)
    asked = [row for row in listed if wanted.devices is None or row[1] in wanted.devices]
    ready = [(engine, device) for engine, device, reason in asked if reason == "ready"]
    if not ready:
        reasons = "; ".join(f"{engine} on {device}: {reason}" for engine, device, reason in asked)
        raise UserError(f"nothing that was asked for can run here: {reasons}")
    accelerated = [(engine, device) for engine, device in ready if device != "cpu"]
    return accelerated if accelerated and wanted.devices is None else ready


def _missed(listed: list[tuple[str, str, str]], ready: list[Pair], wanted: Wanted) -> list[str]:
    """What was named, or is broken, and cannot be measured: a line each."""
    here, devices = dict(ready), {device for _, device in ready}
    return [
        f"{engine} on {device} is left out: {reason}"
        for engine, device, reason in listed
        if engine not in here and device in devices
        and (wanted.engines or reason.startswith(BROKEN))
    ]  # fmt: skip


def _benchmarks(wanted: Wanted, pairs: list[Pair], digits: str, deadline: float) -> list[str]:
    engines, devices = _named(pairs)
    left = deadline - time.monotonic() - MARGIN * wanted.seconds
    options = {
        "--within": f"{max(1.0, left):.0f}",
        "--profile": wanted.profile,
        "--engines": engines,
        "--devices": devices,
        "--digits": digits,
        "--results": str(wanted.results),
    }
    named = [f"{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "pytest", "--benchmark-only", *named]


def _stage(name: str, command: list[str], deadline: float, **environment: str) -> int | None:
    """Run one stage, its output going where ours goes; its exit code, None where it was stopped."""
    began = time.monotonic()
    _say(f"{name} ...")
    # In a session of its own it hears of Ctrl-C from us alone.
    asked = {**os.environ, **environment}
    process = subprocess.Popen(command, cwd=ROOT, env=asked, start_new_session=True)
    try:
        code: int | None = process.wait(max(0.0, deadline - began))
    except subprocess.TimeoutExpired:
        code = None
    finally:  # also where we are interrupted ourselves: nothing is left running behind us
        _end(process)
    code = None if code == TIME_UP else code
    took = spoken(time.monotonic() - began)
    ended = {0: "ok", None: "stopped, the time is up (--minutes)"}.get(code, f"failed, code {code}")
    _say(f"{name}: {ended}, after {took}")
    return code


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a stage that still runs, as Ctrl-C does, and wait; kill it where that is no use."""
    if process.poll() is not None:
        return
    for seconds in (PATIENCE, GRACE):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return
    os.killpg(process.pid, signal.SIGKILL)  # with what it has started: it leads its group
    process.wait()


def _say(text: str) -> None:
    print(f"node: {text}", flush=True)
