"""Many whole trainings for what they learn: side by side, resumable, saved as one result file.

    save(finish(treatments, seeds, journal), results)

A treatment is a recipe on digits; its trainings differ in their seed alone. Each runs in a process
of its own, on one thread where its engine can be held to that, as many at a time as there are
cores, the longest first, because recipes differ a hundredfold in cost. What ended is in the journal
at once.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

import zipnet
from bench.measuring import machine
from bench.measuring.document import Document
from bench.measuring.journal import Ended, Journal
from bench.measuring.progress import Progress, Unbroken
from zipnet import data, devices, engines
from zipnet.births import uninterrupted
from zipnet.cpu import cores
from zipnet.errors import UserError
from zipnet.evaluation import Evaluation, targets
from zipnet.params import Params
from zipnet.recipe import Recipe
from zipnet.results.schema import Learned, Misread, Row, Score, Trained, Verified

DEVICE: Final = "cpu"
FOLLOWED: Final = 20  # steps in which an engine is held to the reference before it trains
# What a presentation costs beside one of plain SGD, roughly: the longest training goes first.
COSTS: Final = {
    "adamw": 2.0, "pseudo-newton": 2.3, "fully-connected": 7.0, "micro-vit": 14.0,
    "balanced": 1.5, "cyclic": 1.5, "random": 1.5,
}  # fmt: skip
MATTER: Final = ("numpy", "numba", "torch", "jax", "jaxlib", "mlx")  # to how arithmetic is rounded
UNTIMED: Final = ("results/", "__main__.py")  # parts of zipnet that no training runs


@dataclass(frozen=True)
class Treatment:
    """A recipe on digits: one row of the result file.

    start: seed, or 2022 for Karpathy's own. times: as many seeds as other treatments have.
    """

    question: str
    recipe: Recipe
    data: str
    start: str = "seed"
    times: float = 1

    @property
    def engine(self) -> str:
        """Who trains it: the fastest that can."""
        return "torch" if self.recipe.rival else engines.fastest(self.recipe, DEVICE)

    @property
    def cost(self) -> float:
        """Of a training, in presentations of plain SGD."""
        what = (self.recipe.network, self.recipe.optimizer, self.recipe.scheme)
        factors = (COSTS.get(name, 1.0) for name in what)
        return self.recipe.passes * len(_digits(self.data).x_train) * max(factors)

    def seeds(self, wanted: int) -> range:
        """Seeds that differ in outcome: one where a given start leaves a recipe nothing to draw."""
        alone = self.start != "seed" and not self.recipe.draws
        return range(1 if alone else math.ceil(wanted * self.times))

    def key(self, seed: int) -> str:
        """A hash of all that the outcome depends on."""
        recipe = self.recipe.as_dict() | {"name": None, "source": None}
        facts = (recipe, _digits(self.data).sha256, self.engine, DEVICE, seed, self.start, _code())
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def name(self, seed: int | None = None) -> str:
        """For a person."""
        start = "" if self.start == "seed" else f" from {self.start}"
        of = "" if seed is None else f" seed {seed}"
        return f"{self.recipe.name} on {self.data}{start}{of}"


@cache
def _digits(name: str) -> data.Digits:
    return data.load(name)


@cache
def _code() -> dict[str, Any]:
    """Machine, software and sources of zipnet, as far as they decide what is learned."""
    home, hashed = Path(zipnet.__file__).parent, hashlib.sha256()
    for path in sorted(home.rglob("*.py")):
        if not (name := path.relative_to(home).as_posix()).startswith(UNTIMED):
            hashed.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    versions = {name: text for name, text in machine.software().items() if name in MATTER}
    return {"zipnet": hashed.hexdigest(), "machine": machine.identity().name, **versions}


# --- one training, in a process of its own --------------------------------------------------------


def train_once(
    treatment: Treatment, engine: str, seed: int
) -> tuple[float, Verified | None, Learned]:
    """Train once, on one thread: seconds, how the engine was verified, and what was learned.

    Of seed 0 the learning curve and the misread digits are kept as well.
    """
    digits, closely = _digits(treatment.data), seed == 0
    curves: tuple[list[int], list[int]] = ([], [])

    def after_pass(_: int, on_train: Evaluation, on_test: Evaluation) -> None:
        curves[0].append(on_train.misses)
        curves[1].append(on_test.misses)

    told, verified = (after_pass if closely else None), None
    if treatment.recipe.rival:
        from zipnet.rivals import train_rival

        done = train_rival(
            treatment.recipe, digits, seed, device=DEVICE, threads=1, after_pass=told
        )
    else:
        from zipnet.training import train
        from zipnet.verify import trajectory, verify

        made = engines.make(engine, treatment.recipe, DEVICE, threads=1)
        by_seed = treatment.start == "seed"
        start = Params.init(seed, treatment.recipe) if by_seed else Params.of_2022(treatment.recipe)
        if closely:
            some = slice(FOLLOWED * treatment.recipe.batch)
            x, y = digits.x_train[some], targets(digits.y_train[some])
            found = verify(made, trajectory(start, treatment.recipe, x, y, treatment.recipe.batch))
            verified = Verified(**asdict(found))
        done = train(made, digits, start, seed=seed, after_pass=told)
    learned = Learned(
        seed=seed,
        train=_score(done.train),
        test=_score(done.test),
        train_curve=curves[0],
        test_curve=curves[1],
        misread=_misread(digits, done.test) if closely else [],
    )
    return done.seconds, verified, learned


def _score(seen: Evaluation) -> Score:
    return Score(seen.misses, seen.loss, seen.error, seen.half_mse, seen.rejected)


def _misread(digits: data.Digits, seen: Evaluation) -> list[Misread]:
    assert seen.said is not None, "an evaluation says what it took each digit for"
    grey = np.rint((np.clip(digits.x_test, -1, 1) + 1) * 7.5).astype(int)
    return [
        Misread(at, int(digits.y_test[at]), int(seen.said[at]), _hexadecimal(grey[at]))
        for at in np.flatnonzero(seen.said != digits.y_test).tolist()
    ]


def _hexadecimal(grey: Any) -> str:
    return "".join(f"{level:x}" for level in grey.ravel().tolist())


def _begin() -> None:
    """A process that trains: signals are the parent's to answer, and it goes with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "it is a child"
    parent.join()
    os._exit(1)


# --- all of them ----------------------------------------------------------------------------------


def finish(
    treatments: Sequence[Treatment], seeds: int, journal: Journal
) -> dict[Treatment, list[Ended]]:
    """Every training of seeds 0 and up: those that the journal lacks are run now.

    Raises UserError where one cannot be run, and KeyboardInterrupt for Ctrl-C and SIGTERM; the text
    of either says how to go on.
    """
    with _answering(journal.path):
        keys = {
            treatment: [treatment.key(seed) for seed in treatment.seeds(seeds)]
            for treatment in treatments
        }
        missing = {
            key: (treatment, seed)
            for treatment, of_one in keys.items()
            for seed, key in enumerate(of_one)
            if key not in journal
        }
        _run(dict(sorted(missing.items(), key=lambda item: -item[1][0].cost)), journal)
    return {treatment: [journal[key] for key in of_one] for treatment, of_one in keys.items()}


def _run(missing: Mapping[str, tuple[Treatment, int]], journal: Journal) -> None:
    if not missing:
        return
    out = sys.stderr if sys.stderr.isatty() else io.StringIO()
    costs = [treatment.cost for treatment, _ in missing.values()]
    progress = Progress(partial(print, end="", file=Unbroken(out)), costs)
    failed = []
    with _pool(min(cores(), len(missing))) as pool:
        with uninterrupted():  # the first starts all processes
            asked = {
                pool.submit(train_once, treatment, treatment.engine, seed): key
                for key, (treatment, seed) in missing.items()
            }
        for done in as_completed(asked):
            key = asked[done]
            treatment, seed = missing[key]
            progress.starts(treatment.name(seed))
            try:
                seconds, verified, learned = done.result()
            except UserError as error:
                failed.append(f"{treatment.name(seed)}: {error}")
                progress.ended("failed")
                continue
            what = treatment.name(seed)
            journal.add(
                Ended(key=key, what=what, seconds=seconds, verified=verified, learned=learned)
            )
            progress.ended(f"misses {learned.train.misses:4d} train, {learned.test.misses:3d} test")
    if failed:
        raise UserError(f"{len(failed)} of {len(missing)} trainings failed; {failed[0]}")


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes, spawned so that it is the same on every system; killed where the block breaks."""
    spawned = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, spawned, initializer=_begin)
    try:
        yield pool
    except BaseException:
        for process in multiprocessing.active_children():
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _answering(kept: Path) -> Iterator[None]:
    """Turn whatever ends it early into one line that says how to go on."""
    on = f"what ended is kept in {kept}; run the same command again to go on"
    theirs = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted: {on}") from None
    except BrokenProcessPool:
        raise UserError(f"a process that trained died, perhaps for want of memory; {on}") from None
    finally:
        signal.signal(signal.SIGTERM, theirs)


# --- what they learned, as a result file ----------------------------------------------------------


def save(finished: Mapping[Treatment, Sequence[Ended]], results: Path) -> str:
    """Write one result file and return its path; it says nothing of a machine's speed."""
    document = Document(results, _digits(next(iter(finished)).data), "learning", "standard")
    document.status = "complete"
    for treatment, ended in finished.items():
        name = f"{treatment.question}[{treatment.name()}]"
        seconds = [one.seconds for one in ended]
        document.put("bench/measuring/trainings.py", name, _row(treatment, ended), seconds)
    return document.save()


def _row(treatment: Treatment, ended: Sequence[Ended]) -> Row:
    import torch

    recipe, digits = treatment.recipe, _digits(treatment.data)
    held = recipe.rival or engines.kind(treatment.engine).limits_threads
    count = len(digits.x_train)
    values = {k: v for k, v in recipe.as_dict().items() if k in Trained.__struct_fields__}
    trained = msgspec.convert(values | {"start": treatment.start}, Trained, from_attributes=True)
    shown = recipe.passes * count
    return Row(
        question=treatment.question,
        engine=treatment.engine,
        device=DEVICE,
        device_name=devices.describe(torch.device(DEVICE)),
        dtype="float32",
        threads=1 if held else cores(),
        batch=recipe.batch,
        steps=recipe.passes * -(-count // recipe.batch),
        presentations=shown,
        macs=trained.step_macs and shown * trained.step_macs,
        dataset=digits.name,
        dataset_sha256=digits.sha256,
        verified=next((one.verified for one in ended if one.verified), None),
        passes=recipe.passes,
        trained=trained,
        learned=[one.learned for one in ended],
    )
