"""What do ranks add? All digits shared out, networks of their own, and the sum alone.

    python -m bench.measuring.ranks --nproc-per-node 2

It starts torchrun, whose options are taken beside its own, and is each rank that torchrun starts.
Worlds of 1, 2, 4, ... up to all the ranks are measured in one run, lap by lap, so that a speed-up
is a ratio within it; ranks beyond a world wait meanwhile. A round takes as long as its slowest
rank. Rank 0 writes the result file anew after every lap of a row: whatever ends the run, what was
measured is there.

Exit codes: 0 measured; 1 a rank, its host or the network was lost; 2 usage; 130 interrupted.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import torch
import torch.distributed as dist

from bench.measuring.document import Document
from bench.measuring.folder import local
from bench.measuring.harness import LONG, Work, nothing, seconds_a_step, seconds_of, shares
from bench.measuring.interrupts import as_ctrl_c
from bench.measuring.profiles import PROFILES, Profile
from bench.measuring.torchrun import EXIT_LOST, torchrun
from bench.measuring.watch import Watching
from bench.measuring.workshop import SEED, facts
from zipnet import data, devices, engines, paper
from zipnet.engines.parallel import LATE, PATIENCE, Parallel, join, threads_of_a_rank, why_no_ranks
from zipnet.errors import (
    EXIT_INTERRUPTED,
    Parser,
    UserError,
    choice,
    note,
    run_command,
    whole_number,
)
from zipnet.evaluation import targets
from zipnet.params import Params
from zipnet.recipe import KARPATHY_1989
from zipnet.replicas import Replica, train_replicas
from zipnet.results.schema import FEWEST_ROUNDS, Absent, Row, Watch
from zipnet.verify import trajectory, verify

PROG: Final = "python -m bench.measuring.ranks"
PROBE_DIGITS: Final = 50
HELD: Final = 317  # digits of the step held to the reference: a prime, so no world shares it evenly
TURNS: Final = 2  # a training costs about as much again as its steps: making, placing, evaluating
GRACE: Final = 10.0  # seconds in which torchrun's agent may end once it was told to


@dataclass
class Ranked:
    """A row: what the ranks of its world do in a round; the others wait.

    said: what a rank tells after a lap; heard: is told what all of its world said, by rank.
    estimate: seconds of a round; None: it is tried. each: what that came to.
    """

    row: Row
    world: int
    group: Any
    enter: Work
    work: Work
    said: Callable[[], Any] = lambda: None
    heard: Callable[[list[Any]], object] = lambda _: None
    estimate: float | None = None
    each: float = 0.0
    rounds: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of its benchmark."""
        row = self.row
        return f"{row.question}[{row.engine or 'all-reduce'}-{row.device}-world={self.world}]"


class Ranks:
    """All of them, as the one that is this process meets them."""

    def __init__(self, device: str, patience: timedelta) -> None:
        join(device, patience)
        self.device, self.rank, self.all = device, dist.get_rank(), dist.get_world_size()
        self.hosts = self.gathered(int(os.environ["GROUP_RANK"]))  # of each rank
        worlds = [2**power for power in range(self.all.bit_length())]
        worlds += [] if self.all in worlds else [self.all]
        self.groups = {n: dist.new_group(list(range(n)), timeout=patience) for n in worlds}
        self.late = dist.new_group(backend="gloo", timeout=patience + LATE)
        self.threads = threads_of_a_rank() if device == "cpu" else None

    def gathered(self, said: Any) -> list[Any]:
        """What every rank says, by rank."""
        heard = [None] * dist.get_world_size()
        dist.all_gather_object(heard, said)
        return heard

    def together(self, group: Any = None) -> None:
        """Return when all have come here; by gloo, for which nothing has to be launched."""
        dist.all_reduce(torch.zeros(1), group=group)

    def row(self, question: str, world: int, device: Any, **about: Any) -> Row:
        """A row of a world."""
        hosts = self.hosts[:world]
        return Row(
            question=question,
            device=str(device),
            device_name=devices.describe(torch.device(device)),
            dtype="float32",
            threads=self.threads,
            world=world,
            hosts=len(set(hosts)),
            ranks_a_host=max(map(hosts.count, hosts)),
            backend=dist.get_default_backend_for_device(self.device),
            **about,
        )

    def plan(self, asked: Ranked, profile: Profile) -> None:
        """Choose how many rounds each lap takes, all ranks alike, by the slowest of them."""
        whole = asked.estimate is not None
        asked.each = asked.estimate or min(self.tried(asked), self.tried(asked))
        count = profile.long_rounds(asked.each) if whole else profile.rounds(asked.each)
        if whole and profile.name != "full":
            count = min(count, FEWEST_ROUNDS)
        asked.rounds = shares(count, profile.laps)

    def tried(self, asked: Ranked) -> float:
        """Seconds of a round of its world's slowest rank."""
        mine = 0.0
        if self.rank < asked.world:
            asked.enter()
            mine = seconds_of(asked.work)
        return float(max(self.gathered(mine)))

    def take(self, asked: Ranked, rounds: int) -> None:
        """Take a lap; the row then has the slowest rank's time of each round."""
        takes_part = self.rank < asked.world
        watching, mine = Watching(), []
        if takes_part:
            asked.enter()
            gc.collect()
            if asked.each < LONG:  # what is long warms itself
                asked.work()
            for _ in range(rounds):
                self.together(asked.group)
                mine.append(seconds_of(asked.work))
        self.together()
        watch = watching.ended()
        told = self.gathered((mine, watch.own_cpu_seconds, takes_part and asked.said()))
        asked.heard([said for _, _, said in told[: asked.world]])
        of_each = (values for values, _, _ in told[: asked.world])
        asked.values += map(max, zip(*of_each, strict=True))
        cpu = [own for (_, own, _), host in zip(told, self.hosts, strict=True)
               if host == self.hosts[self.rank]]  # fmt: skip
        asked.row.watch.append(_of_host(watch, cpu))
        asked.row.laps = [*(asked.row.laps or []), rounds]


def _of_host(watch: Watch, cpu: Sequence[float | None]) -> Watch:
    """A rank's watch, in which the other ranks of its host do not count as others."""
    own, others = sum(filter(None, cpu)), watch.other_cpu_seconds
    if others is not None:
        watch.other_cpu_seconds = max(0.0, others + (watch.own_cpu_seconds or 0.0) - own)
    watch.own_cpu_seconds = own
    return watch


# --- the questions --------------------------------------------------------------------------------


def _full_batch(ranks: Ranks, digits: data.Digits) -> Iterator[Ranked]:
    """One step on all digits, held to the reference by every rank of every world."""
    x, y, count = digits.x_train, targets(digits.y_train), len(digits.x_train)
    recipe, start = replace(KARPATHY_1989, batch=count), Params.init(SEED)
    engine = Parallel(recipe, ranks.device, ranks.threads)
    engine.claim()
    placed, held = engine.place(x, y, count), min(HELD, count)
    path = trajectory(start, recipe, x[:held], y[:held], held)

    def work() -> None:
        engine.run(placed)
        engine.sync()

    def weights() -> str:
        return hashlib.sha256(b"".join(a.tobytes() for _, a in engine.params().items())).hexdigest()

    def alike(hashes: list[str]) -> None:
        if len(set(hashes)) > 1:
            raise UserError(f"ranks hold {len(set(hashes))} different sets of weights after a lap")

    for world, group in ranks.groups.items():

        def enter(group: Any = group) -> None:
            engine.group = group
            engine.claim()
            engine.load(start)

        enter()
        verified = facts(verify(engine, path)) if ranks.rank < world else None
        ranks.together()
        row = ranks.row(
            "ranks-full-batch", world, placed.device, engine=engine.name, batch=count, steps=1,
            presentations=count, macs=count * recipe.step_macs, verified=verified,
            dataset=digits.name, dataset_sha256=digits.sha256,
        )  # fmt: skip
        yield Ranked(row, world, group, enter, work, weights, alike)


def _replicas(ranks: Ranks, digits: data.Digits) -> Iterator[Ranked]:
    """Whole trainings, as many on every rank: nothing is shared but the time."""
    recipe, device = KARPATHY_1989, ranks.device
    name = engines.fastest(recipe, device)
    engine = engines.make(name, recipe, device, ranks.threads)
    engine.claim()
    x, y = digits.x_train[:PROBE_DIGITS], targets(digits.y_train[:PROBE_DIGITS])
    start = Params.init(SEED)
    probe, path = engine.place(x, y, 1), trajectory(start, recipe, x, y, 1)
    engine.load(start)
    engine.prepare(probe)
    verified = facts(verify(engine, path))
    step, shown = seconds_a_step(engine, probe), recipe.passes * len(digits.x_train)
    ranks.together(ranks.late)  # one may have had kernels to compile
    estimate = max(ranks.gathered(TURNS * step * shown))
    if estimate > PATIENCE.total_seconds() / 2:
        raise engines.Unavailable(f"a training would take {estimate:.0f} s with engine {name}")
    each = engine.at_once(recipe, device, ranks.threads)
    misses: list[int] = []

    for world, group in ranks.groups.items():
        many = world * each
        row = ranks.row(
            "ranks-replicas", world, probe.device, engine=name, batch=1, steps=many * shown,
            presentations=many * shown, macs=many * shown * recipe.step_macs, passes=recipe.passes,
            replicas=many, verified=verified, dataset=digits.name, dataset_sha256=digits.sha256,
        )  # fmt: skip
        mine = [Replica(seed) for seed in range(many)[ranks.rank :: world]]

        def work(mine: list[Replica] = mine) -> None:
            done = train_replicas(name, recipe, digits, mine, device=device, threads=ranks.threads)
            misses[:] = [training.test.misses for training in done.trainings]

        def heard(found: list[list[int]], row: Row = row) -> None:
            row.replica_misses = [one for each in zip(*found, strict=True) for one in each]

        yield Ranked(row, world, group, engine.claim, work, misses.copy, heard, estimate)


def _all_reduce(ranks: Ranks) -> Iterator[Ranked]:
    """The sum of a step's gradients alone, and a wait."""
    flat = torch.zeros(1 + paper.PARAMS, device=ranks.device)
    for world, group in ranks.groups.items():

        def work(group: Any = group) -> None:
            dist.all_reduce(flat, group=group)
            devices.synchronize(flat.device)

        if world > 1:
            row = ranks.row("ranks-all-reduce", world, flat.device)
            yield Ranked(row, world, group, nothing, work)


def measure(ranks: Ranks, digits: data.Digits, profile: Profile, document: Document) -> None:
    """All questions of all worlds, the document saved after every lap of each."""
    asked = list(_full_batch(ranks, digits))
    try:
        asked += _replicas(ranks, digits)
    except engines.Unavailable as error:
        document.absent.append(Absent(question="ranks-replicas", reason=str(error)))
    asked += _all_reduce(ranks)
    for one in asked:
        ranks.plan(one, profile)
    for lap in range(profile.laps):
        for one in random.Random(lap).sample(asked, len(asked)):  # noqa: S311 - all alike
            if lap < len(one.rounds):
                ranks.take(one, one.rounds[lap])
                if ranks.rank == 0:
                    document.put("bench/measuring/ranks.py", one.name, one.row, one.values)
                    document.save()


# --- the process ----------------------------------------------------------------------------------


def _parser() -> Parser:
    about, _, more = (__doc__ or "").partition("\n")
    codes = more.rpartition("\n\n")[2]
    theirs = "All other options are torchrun's; --nproc-per-node is 2 where it is not given."
    parser = Parser(prog=PROG, description=about, epilog=f"{theirs} {codes}")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; default: %(default)s")
    for option, default, known in (
        ("--profile", "standard", PROFILES),
        ("--digits", "auto", data.NAMES),
    ):
        words = f"one of: {', '.join(known)}; default: %(default)s"
        parser.add_argument(option, default=default, help=words)
    where = "where the result file goes; default: %(default)s"
    parser.add_argument("--results", default="results", metavar="FOLDER", help=where)
    parser.add_argument(
        "--patience", type=whole_number(1, 3600), default=PATIENCE.seconds, metavar="SECONDS",
        help="until a rank that does not answer is given up; default: %(default)s",
    )  # fmt: skip
    return parser


def _start() -> int:
    """Have torchrun start the ranks, two of them if it is told nothing else."""
    asked, theirs = _parser().parse_known_args()
    ours = [f"--{name}={value}" for name, value in vars(asked).items()]
    started = sys.modules["__main__"].__spec__
    assert started is not None, "it is run as a module"
    return torchrun(["--nproc-per-node=2", *theirs], started.name, ours)


def _run(kept: list[Document]) -> int:
    arguments = _parser().parse_args()
    choice("--digits", arguments.digits, data.NAMES)
    profile = PROFILES[choice("--profile", arguments.profile, list(PROFILES))]
    if reason := why_no_ranks(arguments.device) or devices.why_not(arguments.device):
        raise UserError(reason)
    digits = data.load(arguments.digits)
    document = Document(local(arguments.results), digits, "part", profile.name)
    kept.append(document)
    ranks = Ranks(arguments.device, timedelta(seconds=arguments.patience))
    sys.stderr = sys.__stderr__
    if len(hashes := set(ranks.gathered((digits.name, digits.sha256)))) > 1:
        raise UserError(f"ranks have different digits: {sorted(name for name, _ in hashes)}")
    measure(ranks, digits, profile, document)
    ranks.together()
    if ranks.rank == 0:
        document.status = "complete"
        print(f"{PROG}: what was measured is in {document.save()}", flush=True)
    dist.destroy_process_group()
    return 0


def main() -> int:
    """Start ranks, or be one to the end or until another is lost; of a host's one speaks."""
    if not dist.is_torchelastic_launched():
        return run_command(PROG, _start)
    agent, kept = os.getppid(), list[Document]()
    speaks = os.environ["LOCAL_RANK"] == "0"
    threading.Thread(target=_go_with, args=(agent, speaks), daemon=True).start()
    if speaks:
        signal.signal(signal.SIGTERM, as_ctrl_c)
    else:  # what is wrong before they have met is wrong with all of them
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - until then
    code = run_command(PROG, lambda: _until_lost(kept, agent))
    if code:
        sys.stderr.flush()
        if os.environ["GROUP_WORLD_SIZE"] != "1":
            _end(agent)
        os._exit(code)  # among connections that nobody answers, Python's own end may hang
    return code


def _until_lost(kept: list[Document], agent: int) -> int:
    """The run, or one line of what ended it and where its file is."""
    try:
        return _run(kept)
    except KeyboardInterrupt:
        reason, code = "interrupted, or stopped by torchrun as another rank ended", EXIT_INTERRUPTED
    except RuntimeError as error:
        if not (isinstance(error, dist.DistError) or "gloo" in str(error).lower()):
            raise
        if os.getppid() != agent:  # another has ended with torchrun, as this one is about to
            threading.Event().wait()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun's, which has seen it as well
        silent = "timed out" in str(error).lower()  # libraries' own words hold addresses
        reason = f"a rank, its host or the network {'does not answer' if silent else 'is gone'}"
        code = EXIT_LOST
    if os.environ["LOCAL_RANK"] == "0":
        where = ""
        if kept and os.environ["RANK"] == "0":
            kept[0].absent.append(Absent(reason=reason))
            where = f"; what was measured is in {kept[0].save()}"
        note(reason + where)
    return code


def _go_with(agent: int, speaks: bool) -> None:
    """End with torchrun's agent, which may be killed: its ranks would go on unseen."""
    while os.getppid() == agent:  # also where nobody has asked yet what became of it
        time.sleep(0.2)
    if speaks:
        note("torchrun is gone, and its ranks end with it")
    os._exit(EXIT_LOST)


def _end(agent: int) -> None:
    """See torchrun's agent end, which may wait for hosts that are gone, for many minutes."""
    with contextlib.suppress(ProcessLookupError):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which it ends its ranks in turn
        os.kill(agent, signal.SIGTERM)
        time.sleep(GRACE)
        os.kill(agent, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
