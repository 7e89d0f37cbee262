"""Synthetic result files: valid by construction, of any machine, for the report's tests."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from statistics import mean, median
from typing import Any

from zipnet import paper

GIGA = 1e9


def workload() -> dict[str, Any]:
    """The counts of the network and of its training run, with their hash."""
    counts: dict[str, Any] = {
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
    text = json.dumps(counts, sort_keys=True, separators=(",", ":"))
    return counts | {"hash": hashlib.sha256(text.encode()).hexdigest()}


def stats(data: list[float]) -> dict[str, Any]:
    """The statistics that pytest-benchmark writes, as far as anyone reads them."""
    return {
        "min": min(data),
        "max": max(data),
        "mean": mean(data),
        "median": median(data),
        "rounds": len(data),
        "iterations": 1,
        "data": data,
    }


def laps_of(rounds: int, laps: int = 4) -> list[int]:
    """Rounds of each lap, as even as can be; no lap is empty."""
    shares = [rounds * (lap + 1) // laps - rounds * lap // laps for lap in range(laps)]
    return [share for share in shares if share]


def watch(**readings: Any) -> dict[str, Any]:
    """A lap during which nothing else happened; keywords replace its readings."""
    calm = {"load_1min": 0.4, "cpu_mhz": 2600, "power": "mains"}
    return {
        "seconds": 0.25,
        "own_cpu_seconds": 0.25,
        "other_cpu_seconds": 0.002,
        "stolen_cpu_seconds": 0.0,
        "before": calm,
        "after": calm,
    } | readings


def row(question: str, seconds: float, *, rounds: int = 30, seed: int = 0, **about: Any) -> Any:
    """One benchmark whose median lies near `seconds`; keywords go into extra_info."""
    noise = random.Random(f"{question}{about}{seed}")
    data = [seconds * (1 + 0.03 * noise.random() ** 2) for _ in range(rounds)]
    info: dict[str, Any] = (
        {
            "question": question,
            "engine": None,
            "device": "cpu",
            "device_name": "Synthetic CPU",
            "dtype": "float32",
            "threads": 1,
            "batch": None,
            "steps": None,
            "presentations": None,
            "macs": None,
            "bytes": None,
            "dataset": None,
            "dataset_sha256": None,
            "verified": None,
            "warnings": [],
        }
        | lapped(data)
        | about
    )
    sizes = "-".join(str(info[size]) for size in ("batch", "width") if size in info)
    name = f"{question}[{info['engine']}-{info['device']}-{info['threads']}-{sizes}]"
    return {
        "group": question,
        "name": name,
        "fullname": f"bench/bench_{question.partition('-')[0]}.py::{name}",
        "params": None,
        "param": None,
        "extra_info": info,
        "options": {"rounds": rounds},
        "stats": stats(data),
    }


def retimed(row: Any, data: list[float]) -> Any:
    """Give a row other timings, and laps that fit them."""
    row["stats"] = stats(data)
    row["extra_info"] |= lapped(data)
    return row


def lapped(data: list[float]) -> dict[str, Any]:
    """Laps of timings, each watched for as long as its rounds and its warming took."""
    laps, watches, begin = laps_of(len(data)), [], 0
    for rounds in laps:
        seconds = 0.2 + sum(data[begin : begin + rounds])
        watches.append(watch(seconds=seconds, own_cpu_seconds=seconds))
        begin += rounds
    return {"laps": laps, "watch": watches}


def learning(question: str, us: float, steps: int, batch: int, **about: Any) -> Any:
    """A row that trains, from the microseconds that a presentation takes."""
    shown = steps * batch
    verified = {"steps": 20, "loss_distance": 1e-7, "param_distance": 1e-7, "tolerance": 1e-5}
    info = {
        "batch": batch,
        "steps": steps,
        "presentations": shown,
        "macs": shown * paper.STEP_MACS,
        "dataset": "usps",
        "dataset_sha256": "5" * 64,
        "verified": verified,
    }
    return row(question, 1e-6 * us * shown, **(info | about))


def ladder(engine: str, law: Any, batch: int = 1, widths: Any = (1, 4, 16, 64), **who: Any) -> Any:
    """Rows of one engine whose step of so many MACs takes law(MACs) seconds, one a width."""
    made = []
    for width in widths:
        macs = batch * paper.step_macs(curvature=False, width=width)
        about = {"engine": engine, "width": width, "macs": macs} | who
        made.append(learning("width", 1e6 * law(macs) / batch, 1, batch, **about))
    return made


def unwatched(content: Any) -> Any:
    """Make a file of schema 1 of one: no laps, no watch."""
    for row in content["benchmarks"]:
        del row["extra_info"]["laps"], row["extra_info"]["watch"]
    return content | {"schema": 1}


def engine_rows(engine: str, device: str, threads: int | None, us: float, full: float) -> list[Any]:
    """What a run measures of one engine: steps, full batch and recognition."""
    who: dict[str, Any] = {"engine": engine, "device": device, "threads": threads}
    recognised: dict[str, Any] = {"steps": 0, "dataset": "usps", "dataset_sha256": "5" * 64}
    test = paper.TEST_DIGITS
    return [
        learning("sgd-synced", 1.1 * us, 1, 1, rounds=200, **who),
        learning("sgd-queued", us, 512, 1, **who),
        learning("fullbatch", full, 1, paper.TRAIN_DIGITS, rounds=9, **who),
        row(
            "inference-one",
            4e-7 * us,
            batch=1,
            presentations=1,
            macs=paper.MACS,
            **who,
            **recognised,
        ),
        row(
            "inference-all",
            3e-7 * full * test,
            batch=test,
            presentations=test,
            macs=test * paper.MACS,
            **who,
            **recognised,
        ),
    ]


def training(engine: str, device: str, threads: int | None, us: float, misses: int = 122) -> Any:
    """A whole training run of 1989, with what it learned."""
    return learning(
        "training",
        us,
        paper.PRESENTATIONS,
        1,
        rounds=1,
        engine=engine,
        device=device,
        threads=threads,
        passes=paper.PASSES,
        seed=0,
        train={"loss": 4.1e-3, "error": 0.4, "misses": 29},
        test={"loss": 2.6e-2, "error": 100 * misses / paper.TEST_DIGITS, "misses": misses},
    )


def price(batch: int, seconds: float, never: int = 0, trainings: int = 3, **about: Any) -> Any:
    """A row that trained until 8, 7, 6.5 and 6% of error; the last `never` were not reached."""
    errors = (8.0, 7.0, 6.5, 6.0)
    made = row(
        "time-to-error", seconds, rounds=trainings, batch=batch, most_passes=2300, lr=0.24,
        lr_found="best of 3", dataset="usps", dataset_sha256="5" * 64,
        **{"engine": "eager"} | about,
    )  # fmt: skip
    levels: list[Any] = []
    for at, error in enumerate(errors, start=1):
        there = at <= len(errors) - never
        took = [one * at / len(errors) if there else None for one in made["stats"]["data"]]
        passes = [7 * at if there else None] * trainings
        levels.append({"error": error, "passes": passes, "seconds": took})
    made["extra_info"] |= {"levels": levels, "seed": 0}
    return made


def floor_rows(device: str, threads: int | None, peak: float) -> list[Any]:
    """What a run measures of the device itself; peak in MAC/s."""
    who: dict[str, Any] = {"device": device, "threads": threads}
    return [
        row("floor-empty", 4e-7, **who),
        row("floor-sync", 3e-7, **who),
        row("floor-launch", 2e-6, **who),
        row("floor-copy-digit", 3e-6, **who),
        row("floor-gemm", 1024**3 / peak, macs=1024**3, **who),
        row("floor-bandwidth", 2**28 / 1e10, bytes=2**28, **who),
    ]


def benchmarks(speed: float = 1.0, *, gpu: bool = False) -> list[Any]:
    """All rows of a machine that is `speed` times a small server, with a GPU or without."""
    rows = [
        *engine_rows("eager", "cpu", 1, 930 / speed, 42 / speed),
        *engine_rows("eager", "cpu", 2, 980 / speed, 25 / speed),
        *engine_rows("compiled", "cpu", 1, 600 / speed, 33 / speed),
        *engine_rows("compiled", "cpu", 2, 640 / speed, 21 / speed),
        training("compiled", "cpu", 1, 605 / speed),
        *floor_rows("cpu", 1, 95 * GIGA * speed),
        *floor_rows("cpu", 2, 180 * GIGA * speed),
    ]
    if gpu:
        rows += [
            *engine_rows("eager", "cuda", None, 1400 / speed, 0.9 / speed),
            *engine_rows("compiled", "cuda", None, 700 / speed, 0.5 / speed),
            *floor_rows("cuda", None, 24_000 * GIGA * speed),
        ]
    return rows


def measured_by(run: str, rows: list[Any]) -> list[Any]:
    """Rows a hair's breadth from those of any other run: no two share their timings."""
    hair = 1 + 1e-6 * random.Random(run).random()
    return [retimed(row, [t * hair for t in row["stats"]["data"]]) for row in rows]


def result(
    name: str = "xeon-6982p-2c-8gib", speed: float = 1.0, **overrides: Any
) -> dict[str, Any]:
    """A whole valid result file; keywords replace top-level keys, `gpu=True` adds a GPU."""
    gpu = overrides.pop("gpu", False)
    moment = overrides.get("datetime", "2026-11-21T02:00:00+00:00")
    return {
        "machine_info": {
            "name": name,
            "cpu": {
                "model": "Synthetic Xeon 6982P-C",
                "physical_cores": 1,
                "logical_cores": 2,
                "arch": "x86_64",
            },
            "memory_gib": 7.6,
            "gpus": ["Synthetic H200"] if gpu else [],
            "system": "Linux",
        },
        "commit_info": {"id": "0123456789abcdef", "dirty": False},
        "benchmarks": measured_by(f"{name}{moment}", benchmarks(speed, gpu=gpu)),
        "datetime": moment,
        "version": "5.3.1",
        "schema": 2,
        "status": "complete",
        "scope": "all",
        "profile": "standard",
        "workload": workload(),
        "dataset": {"name": "usps", "sha256": "5" * 64},
        "software": {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.0"},
        "state": {
            "before": {
                "load_1min": 0.1,
                "cpu_mhz": 2600.0,
                "memory_available": 6_000_000_000,
                "power": "mains",
            },
            "after": {
                "load_1min": 1.2,
                "cpu_mhz": 2600.0,
                "memory_available": 5_900_000_000,
                "power": "mains",
            },
        },
        "absent": [
            {"engine": "eager", "device": "mps", "question": None, "reason": "no Apple GPU here"},
        ],
    } | overrides


def write(folder: Path, content: Any, name: str = "20261121T020000Z_0123456.json") -> Path:
    """Write content as a result file below folder, under its machine's name where it has one."""
    machine = content["machine_info"]["name"] if isinstance(content, dict) else "machine"
    path = folder / "".join(c if c.isalnum() or c == "-" else "_" for c in machine[:60]) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, allow_nan=True), "utf-8")
    return path


def score(misses: int, digits: int, **about: Any) -> dict[str, Any]:
    """What was learned, by misses."""
    return {"misses": misses, "loss": 1e-2, "error": 100 * misses / digits} | about


def trained(recipe: str, dataset: str, misses: list[tuple[int, int]], **about: Any) -> Any:
    """A row of trainings by their train and test misses, of seeds 0 and up, on 7,291 digits."""
    values = {
        "name": recipe, "start": "seed", "network": "1989", "passes": 23, "batch": 1,
        "activation": "tanh", "output": "tanh", "init": "root", "output_bias": -1.0, "loss": "mse",
        "optimizer": "sgd", "lr": 0.03, "lr_end": 0.03,
    } | about  # fmt: skip
    learned = [
        {
            "seed": seed,
            "train": score(train, paper.TRAIN_DIGITS, half_mse=2e-3, rejected=1.0),
            "test": score(test, paper.TEST_DIGITS, half_mse=1.8e-2, rejected=12.5),
        }
        for seed, (train, test) in enumerate(misses)
    ]
    passes, (train, test) = values["passes"], misses[0]
    learned[0] |= {
        "train_curve": [train + 20 * (passes - at) for at in range(1, passes + 1)],
        "test_curve": [test + 9 * (passes - at) for at in range(1, passes + 1)],
        "misread": [
            {"index": at, "label": at % 10, "said": (at + 1) % 10, "image": f"{at % 16:x}" * 256}
            for at in range(test)
        ],
    }
    question, shown = about.get("question", "reproduction"), passes * paper.TRAIN_DIGITS
    values.pop("question", None)
    each = paper.step_macs(curvature=values.get("gamma", 0) > 0)
    info = {
        "engine": "fused", "batch": values["batch"], "steps": shown, "presentations": shown,
        "macs": shown * each if values["network"] == "1989" else None,
        "dataset": dataset, "dataset_sha256": "5" * 64, "passes": passes,
        "trained": values, "learned": learned,
    }  # fmt: skip
    made = row(question, 0.7, rounds=len(misses), **info)
    made["fullname"] = f"trainings.py::{question}[{recipe} on {dataset} from {values['start']}]"
    return made


def learned_result(rows: list[Any], **overrides: Any) -> dict[str, Any]:
    """A file of what was learned: trainings and no speeds."""
    return result(scope="learning", **({"datetime": "2026-11-28T02:00:00+00:00"} | overrides)) | {
        "benchmarks": rows
    }
