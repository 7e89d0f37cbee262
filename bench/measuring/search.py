"""python -m bench search: the best learning rate of each batch, by the rule of zipnet/rates.py.

Trainings of other seeds and rates run side by side, each on one thread. Every trial that ended is
kept in a file beside the outcome, so that a search that was stopped goes on where it was; the
outcome itself is replaced only when all is done. Batches in either that were not asked for stay,
as another search may write them meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Final

from tqdm import tqdm

from bench.measuring.commit import commit
from zipnet import engines, rates
from zipnet.atomic import replacing
from zipnet.cpu import cores
from zipnet.data import Digits
from zipnet.errors import UserError
from zipnet.params import Params
from zipnet.pursuit import pursue
from zipnet.rates import Trial
from zipnet.recipe import KARPATHY_1989
from zipnet.training import require_batch, stage

ENGINE: Final = "fused"  # what it finds holds for every engine: all follow one reference


@dataclass
class Search:
    """A search in the making; trials: all that ended, those of its beginning included."""

    digits: Digits
    batches: Sequence[int]
    out: Path
    seeds: Sequence[int] = rates.SEEDS
    trials: list[Trial] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        for batch in self.batches:
            require_batch(replace(KARPATHY_1989, batch=batch), self.digits)
        code = commit()
        self.about: dict[str, Any] = {
            "engine": ENGINE,
            "dataset": self.digits.name,
            "dataset_sha256": self.digits.sha256,
            "target": rates.TARGET,
            "seeds": list(self.seeds),
        }
        asked = {
            str(batch): {"commit": code.id, "dirty": code.dirty, "passes": self._passes(batch)}
            for batch in self.batches
        }
        today = {"date": datetime.now(UTC).date().isoformat()}
        self.batches_about: dict[str, dict[str, Any]] = {key: today | asked[key] for key in asked}
        self.kept = self.out.with_name(f"{self.out.name}.part")
        for key, (said, trials) in self._held(self.kept).items():
            if asked.get(key) == {name: said[name] for name in said if name != "date"}:
                self.batches_about[key] = said
                self.trials += trials

    def _held(self, path: Path) -> dict[str, tuple[dict[str, Any], list[Trial]]]:
        """What a file says of each batch, if it is of a search such as this."""
        try:
            about, trials = rates.read(path)
        except UserError:  # there is none, or somebody has broken it: it is written anew
            return {}
        batches = about.pop("batches")
        if about != self.about:
            return {}
        return {batch: (said, [one for one in trials if str(one.batch) == batch])
                for batch, said in batches.items()}  # fmt: skip

    def run(self) -> dict[int, list[Trial]]:
        """Search every batch, write the outcome, and return the trials of each best rate.

        Raises UserError where it cannot be written: before the first trial, if that shows then.
        """
        self._write(self.kept)
        for batch in self.batches:
            self._search(batch)
        self._write(self.out)
        self._write(self.kept, done=True)
        return {batch: rates.best(self.trials)[batch] for batch in self.batches}

    def _search(self, batch: int) -> None:
        def tried(powers: Sequence[int]) -> dict[int, tuple[bool, int, int, int]]:
            self._try([(batch, power, seed) for power in powers for seed in self.seeds])
            return {power: rates.score(self._of(batch, power)) for power in powers}

        rates.bracket(rates.guess(batch), tried, lambda score: score[0])

    def _of(self, batch: int, power: int) -> list[Trial]:
        return [one for one in self.trials if (one.batch, one.power) == (batch, power)]

    def _try(self, wanted: Sequence[tuple[int, int, int]]) -> None:
        """Make the trials among these that were not made yet, side by side."""
        made = {(one.batch, one.power, one.seed) for one in self.trials}
        left = [one for one in wanted if one not in made]
        with _pool(self.stopped) as pool:
            running = [pool.submit(self._trial, *one) for one in left]
            bar = tqdm(as_completed(running), _words(wanted), len(left), leave=False, disable=None)
            for done in bar:
                self.trials.append(done.result())
                self._write(self.kept)
        for power in sorted({power for _, power, _ in left}):
            print(_line(self._of(wanted[0][0], power)), flush=True)

    def _trial(self, batch: int, power: int, seed: int) -> Trial:
        engine = engines.make(ENGINE, replace(KARPATHY_1989, batch=batch), "cpu", threads=1)
        engine.load(Params.init(seed, engine.recipe), seed)  # prepared, as it begins
        found = pursue(
            engine,
            stage(engine, self.digits),
            seed,
            lr=rates.rate(power),
            passes=self._passes(batch),
            levels=(rates.TARGET,),
            before_pass=self._go_on,
        )
        return Trial(batch, power, seed, found.passes, found.misses, found.end)

    def _go_on(self) -> None:
        if self.stopped.is_set():
            raise CancelledError

    def _passes(self, batch: int) -> int:
        return rates.most_passes(batch, len(self.digits.x_train))

    def _write(self, path: Path, *, done: bool = False) -> None:
        """Put our batches among the others that a file holds by now, or take them from there."""
        self.trials.sort(key=lambda one: (one.batch, one.power, one.seed))
        batches = {} if done else dict(self.batches_about)
        trials = [] if done else list(self.trials)
        for key, (said, others) in self._held(path).items():
            if key not in self.batches_about:
                batches[key] = said
                trials += others
        trials.sort(key=lambda one: one.batch)
        about = {**self.about, "batches": dict(sorted(batches.items(), key=lambda b: int(b[0])))}
        try:
            if not batches:
                path.unlink(missing_ok=True)
                return
            with replacing(path) as file:
                file.write(rates.content(about, trials).encode())
        except OSError as error:
            why = error.strerror or error
            raise UserError(f"{path} cannot be written: {why}; choose another --out") from None


@contextmanager
def _pool(stopped: Event) -> Iterator[ThreadPoolExecutor]:
    """A thread a core; when we are interrupted, the trials at work stop and no other begins."""
    pool = ThreadPoolExecutor(cores())
    try:
        yield pool
    except BaseException:
        stopped.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _words(wanted: Sequence[tuple[int, int, int]]) -> str:
    powers = sorted({power for _, power, _ in wanted})
    return f"batch {wanted[0][0]:,}, rate {' and '.join(f'{rates.rate(p):g}' for p in powers)}"


def _line(trials: Sequence[Trial]) -> str:
    """What came of one rate, for a person."""
    first = trials[0]
    ends = ", ".join(f"{one.end} after {one.passes}" for one in trials)
    return f"batch {first.batch:,}, rate {first.lr:g}: {ends} passes"


def search(batches: Sequence[int], out: Path, digits: Digits) -> None:
    """Search, and say what the best rates are. Raises UserError where `out` cannot be written."""
    if not out.parent.is_dir():
        raise UserError(f"--out is {out}, but there is no folder {out.parent}; make it first")
    if out.exists() and not out.is_file():
        raise UserError(f"--out is {out}, which is no regular file; name one, such as rates.json")
    asked = Search(digits, batches, out)
    try:
        found = asked.run()
    except KeyboardInterrupt:
        on = f"what ended is kept in {asked.kept}; run the same command again to go on"
        raise KeyboardInterrupt(f"interrupted: {on}") from None
    for batch, trials in found.items():
        print(f"best for batch {batch:,}: {trials[0].lr:g}")
    print(f"written to {out}; chosen on the test digits of {digits.name}")
