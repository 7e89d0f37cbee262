"""A fleet of result files for tests of scale: python -m tests.fleet FOLDER --files 10000

Machines differ in speed, cores and GPU, each has several runs, and a few of the files are what a
fleet has too: interrupted, measured beside other work, edited by hand, cut short. The same
arguments make the same bytes.
"""

import argparse
import json
import random
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests import records_factory as factory

CPUS = ("Xeon 6982P-C", "EPYC 9B14", "EPYC 7763", "Core i7-1360P", "Ryzen 9 7950X", "Apple M3")
GPUS = ("", "", "", "H200", "A100-SXM4-80GB", "GeForce RTX 4090")
RUNS = 8  # of a machine, on average


def write(folder: Path, files: int, machines: int = 0, processes: int = 2) -> None:
    """Fill the folder with so many files of so many machines, some 120 kB each."""
    machines = machines or max(2, files // RUNS)
    share = partial(_write_one, folder, machines)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for _ in pool.map(share, range(files), chunksize=50):
            pass


def content_of(machine: int, run: int) -> dict:
    """One run of one machine: its speed is the machine's, give or take what a day brings."""
    fixed = random.Random(f"machine {machine}")
    daily = random.Random(f"machine {machine}, run {run}")
    cpu, gpu, cores = fixed.choice(CPUS), fixed.choice(GPUS), fixed.choice((2, 4, 8, 16, 64))
    speed = fixed.lognormvariate(0.0, 0.6) * daily.lognormvariate(0.0, 0.01)
    began = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=7 * run + machine)
    words = [cpu, gpu, f"{cores}c", f"{4 * cores}gib", f"{machine:04d}"]
    content = factory.result(
        "-".join("-".join(words).lower().split()).replace("--", "-"),
        speed,
        gpu=bool(gpu),
        benchmarks=[retimed(row, daily) for row in rows(cores, speed, gpu=bool(gpu))],
        datetime=began.isoformat(),
    )
    content["machine_info"] |= {"gpus": [gpu] if gpu else [], "memory_gib": 4.0 * cores}
    content["machine_info"]["cpu"] |= {
        "model": cpu, "logical_cores": cores, "physical_cores": cores // 2,
    }  # fmt: skip
    return _mishap(content, daily)


def rows(cores: int, speed: float, *, gpu: bool) -> list:
    """The factory's rows and those of two more engines, as far as their machine has them."""
    found = factory.benchmarks(speed, gpu=gpu)
    for engine, us, full in (("xla", 43, 22), ("fused", 4.5, 2.6)):
        for threads in (1, cores):
            found += factory.engine_rows(engine, "cpu", threads, us / speed, full / speed)
    return [*found, factory.training("fused", "cpu", 1, 4.5 / speed)]


def retimed(row: dict, noise: random.Random) -> dict:
    """Rounds as a machine gives them: a floor, a tail, and laps that lie a little apart."""
    rounds = 1 if row["extra_info"]["question"] == "training" else noise.randint(20, 60)
    floor = row["stats"]["min"]
    shares = factory.laps_of(rounds)
    data = [
        floor * lap * (1 + 0.02 * noise.expovariate(1.0))
        for share, lap in ((s, noise.lognormvariate(0.0, 0.004)) for s in shares)
        for _ in range(share)
    ]
    return factory.retimed(row, data)


def _write_one(folder: Path, machines: int, at: int) -> None:
    machine, run = at % machines, at // machines
    content = content_of(machine, run)
    path = factory.write(folder, content, f"{content['datetime'][:10]}_{run:04d}.json")
    if at % 997 == 500:  # a disk that was full
        path.write_bytes(path.read_bytes()[:10_000])


def _mishap(content: dict, noise: random.Random) -> dict:
    """Now and then a run is cut short, disturbed, or edited."""
    kind = noise.random()
    if kind < 0.02:
        content |= {"status": "interrupted", "benchmarks": content["benchmarks"][:12]}
    elif kind < 0.05:
        content["profile"] = "quick"
    elif kind < 0.10:
        for row in content["benchmarks"][::3]:
            row["extra_info"]["watch"][0] |= {"other_cpu_seconds": 0.2}
    elif kind < 0.11:
        content["benchmarks"][3]["stats"]["median"] *= 0.5
    return content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--machines", type=int, default=0)
    arguments = parser.parse_args()
    write(arguments.folder, arguments.files, arguments.machines)
    print(json.dumps({"files": len(list(arguments.folder.rglob("*.json")))}))


if __name__ == "__main__":
    main()
