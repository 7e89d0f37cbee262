"""What a result file says: the only place that lists its fields and its questions.

bench/measuring fills these structs and saves them, zipnet.results decodes them, and the tables of
results/README.md are written from them (tests/results_readme.py). A new field is a line here, its
writer and its display; a new question is an entry of QUESTIONS and a bench_*.py. What stands here
says what may be in a file; whether the numbers of one agree is asked in check.py.
"""

from __future__ import annotations

from typing import Annotated as Is
from typing import Final, Literal

from msgspec import Meta, Struct

from zipnet import paper

SCHEMA: Final = 2  # and 1, which had no laps and watched no rows
LONGEST_TEXT: Final = 2_000  # characters; the longest honest field is an error message
MOST: Final = 2**53  # of a count; floats, which tables are made of, hold none of more exactly

# Timings outside are no clock's: below a tenth of a nanosecond, above thirty years; nor joules any
# counter's. Only where no network is at work may one be 0, where the clock is too coarse for it.
SHORTEST: Final = 1e-10
LONGEST: Final = 1e9
# The sum of a lap's rounds against the time that the lap lasted, which is read beside them.
LONGER: Final = 1.01
SLACK: Final = 1e-3  # seconds

# Rounds that make an interval: of five, even min to max covers the median with only 93.75%.
FEWEST_ROUNDS: Final = 6
BUSY_CORES: Final = 0.5  # half a core: system services stay below, a busy loop takes 1
TICKS: Final = 0.02  # core-seconds that counters of 10 ms, read one after another, may be off by

Text = Is[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Name = Is[Text, Meta(pattern=r"\S")]
Size = Is[float, Meta(ge=0, le=1e30)]  # sums and squares of which are finite as well
Percent = Is[float, Meta(ge=0, le=100)]
Count = Is[int, Meta(ge=0, le=MOST)]
Seconds = Is[float, Meta(ge=SHORTEST, le=LONGEST)]
Digit = Is[int, Meta(ge=0, le=9)]
Positive = Is[int, Meta(ge=1, le=MOST)]
Plain = str | int | float | bool | None  # a fact that is only shown, or only hashed


def says(text: str, fact: str = "", unit: str = "") -> Meta:
    """Describe a field. fact: the words by which a page shows it, where no column of its own does;
    unit: s or B where the value is a time or a size.
    """
    return Meta(description=text, extra={"fact": fact, "unit": unit} if fact else {})


class Score(Struct):
    """What a network had learned."""

    misses: Is[Count, says("digits classified wrongly")]
    loss: Is[Size, says("mean of the recipe's own loss over the digits")]
    error: Is[Percent | None, says("misses in per cent")] = None
    half_mse: Is[Size | None, says("half the mean squared error, as the article prints it")] = None
    rejected: Is[Percent | None, says("per cent to be set aside for 1% error on the rest")] = None


class Trained(Struct, kw_only=True):
    """What was trained: every value of its recipe, as zipnet/recipe.py has them."""

    name: Is[Text, says("the recipe's", "recipe")]
    start: Is[Literal["seed", "2022"], says("first weights: of the seed, or Karpathy's own")]
    network: Is[Text, says("1989, or a rival's name")]
    scheme: Is[Text, says("which H1 planes each H2 plane sees")] = "blocks"
    width: Is[Positive, says("times its planes and units")] = 1
    passes: Is[Positive, says("times the training digits were shown")]
    batch: Is[Positive, says("digits a step")]
    activation: Is[Text, says("of H1, H2 and H3")]
    output: Is[Text, says("of the last layer")]
    init: Is[Text, says("bound of the first weights: 2.4 by the fan-in or by its root")]
    output_bias: Is[float, says("where output biases start")]
    loss: Is[Text, says("mse or cross_entropy")]
    optimizer: Is[Text, says("sgd, adamw or pseudo-newton")]
    lr: Is[Size, says("learning rate of the first pass")]
    lr_end: Is[Size, says("learning rate of the last pass")]
    rates: Is[list[Size], says("pass by pass, in place of these two")] = []
    weight_decay: Is[Size, says("of adamw")] = 0.0
    mu: Is[Size, says("of pseudo-newton")] = 0.0
    gamma: Is[Size, says("of pseudo-newton")] = 0.0
    estimate: Is[Count, says("of pseudo-newton: digits that sigma is measured on")] = 0
    dropout: Is[Size, says("share of H2's units dropped")] = 0.0
    shift: Is[bool, says("whether images were moved")] = False

    @property
    def step_macs(self) -> int | None:
        """Multiply-accumulates of a step on one digit; None for a rival, whose none are counted."""
        if self.network != "1989":
            return None
        return paper.step_macs(curvature=self.gamma > 0, width=self.width)


class Misread(Struct):
    """A test digit that a network took for another."""

    index: Is[Count, says("its place among the test digits, from 0")]
    label: Is[Digit, says("what it is")]
    said: Is[Digit, says("what the network said")]
    image: Is[
        str,
        Meta(pattern="^[0-9a-f]{256}$"),
        says("16 rows of 16 pixels, each a hexadecimal digit: 0 is -1, f is 1"),
    ]


class Learned(Struct, kw_only=True):
    """What one training had learned at its end."""

    seed: Is[Count, says("of its first weights, shifts and dropout")]
    train: Is[Score, says("on the training digits")]
    test: Is[Score, says("on the test digits")]
    train_curve: Is[list[Count], says("misses after each pass; of seed 0")] = []
    test_curve: Is[list[Count], says("likewise")] = []
    misread: Is[list[Misread], says("every miss on the test digits; of seed 0")] = []


class Level(Struct):
    """What it took until the test error had fallen to a level, of each training of a row."""

    error: Is[Percent, says("misses on the test digits, in per cent")]
    passes: Is[list[Positive | None], says("over the training digits; null: not reached")]
    seconds: Is[list[Seconds | None], says("of training alone; null: not reached")]


class Verified(Struct):
    """How an engine was held to the float64 reference before it was timed."""

    steps: Is[Count | None, says("followed; 0: outputs were compared", "verified steps")] = None
    loss_distance: Is[Size | None, says("largest, of a loss", "losses off by")] = None
    param_distance: Is[Size | None, says("largest, of a parameter", "parameters off by")] = None
    tolerance: Is[Size | None, says("what was allowed", "of an allowed")] = None


class Phases(Struct, rename={"importing": "import"}):
    """Where the last round of a first-step row spent its time."""

    importing: Is[Size | None, says("seconds of imports", "imports", "s")] = None
    compile: Is[Size | None, says("seconds of compiling", "compiling", "s")] = None
    step: Is[Size | None, says("seconds of the step itself", "the step", "s")] = None


class State(Struct, kw_only=True, gc=False):
    """Readings of the machine at one moment; null where it does not tell."""

    load_1min: Is[Size | None, says("the system's load average")] = None
    cpu_mhz: Is[Size | None, says("clock of the processor")] = None
    memory_available: Is[Size | None, says("bytes")] = None
    power: Is[Text | None, says("mains or battery")] = None
    throttled: Is[Size | None, says("slowdowns for heat since boot; Linux on Intel")] = None
    speed_limit: Is[Size | None, says("per cent of its speed that macOS grants")] = None
    gpu_mhz: Is[Size | None, says("with an NVIDIA GPU and nvidia-ml-py")] = None
    gpu_celsius: Is[Size | None, says("likewise")] = None
    gpu_throttle: Is[str | None, says("likewise: why it is slowed, empty for no reason")] = None


class Watch(Struct, kw_only=True, gc=False):
    """What the machine was seen doing during one lap of a row; null where it does not tell."""

    seconds: Is[Size, says("how long the lap lasted, its warming included")]
    own_cpu_seconds: Is[Size | None, says("core-seconds of the measuring process")] = None
    own_system_seconds: Is[
        Size | None, says("those of them in the kernel: page faults, copies, waking of threads")
    ] = None
    other_cpu_seconds: Is[Size | None, says("core-seconds of every other process")] = None
    stolen_cpu_seconds: Is[Size | None, says("core-seconds that a hypervisor gave away")] = None
    before: Is[State | None, says("readings as in `state`")] = None
    after: Is[State | None, says("likewise")] = None

    def cores(self, taken: float | None) -> float:
        """How many cores somebody had for certain, of the core-seconds that were counted."""
        return max(0.0, (taken or 0.0) - TICKS) / self.seconds if self.seconds else 0.0

    @property
    def disturbed(self) -> bool:
        """Whether somebody else had our cores meanwhile."""
        others = (self.other_cpu_seconds, self.stolen_cpu_seconds)
        return any(self.cores(taken) >= BUSY_CORES for taken in others)


class Retaken(Struct):
    """A lap during which somebody else had our cores: taken again later, it does not count."""

    lap: Is[Positive, says("which of `laps` stands in its place, from 1")]
    data: Is[list[Size], says("its rounds, as in `stats.data`")]
    watch: Is[Watch, says("what was seen during it")]


class Row(Struct, kw_only=True):
    """A benchmark's `extra_info`: who did what in one round.

    Rates are never stored: presentations per second is presentations / timing.
    """

    question: Is[Text, says("see below")]
    engine: Is[Text | None, says("who ran it; null where the machine itself is measured")] = None
    device: Is[Text, says("cpu, cuda, mps, xpu; read back from the tensors")]
    device_name: Is[Text | None, says("the device's model")] = None
    dtype: Is[Text | None, says("of the arithmetic")] = None
    unit: Is[Text, says("of `stats.data`: s, B (bytes), J (joules); absent in older files: s")] = (
        "s"
    )
    threads: Is[Positive | None, says("CPU threads allowed, null on an accelerator")] = None
    world: Is[Positive | None, says("ranks that took part: processes that torchrun starts")] = None
    hosts: Is[Positive | None, says("that the ranks ran on", "hosts")] = None
    ranks_a_host: Is[Positive | None, says("at most, each with a device", "ranks a host")] = None
    backend: Is[Text | None, says("by which ranks sum: gloo or nccl", "sums by")] = None
    batch: Is[Positive | None, says("digits a step")] = None
    width: Is[Positive | None, says("times the planes and units of 1989; null is 1", "width")] = (
        None
    )
    steps: Is[Count | None, says("in one round; 0 where digits are only recognised")] = None
    presentations: Is[Count | None, says("digits shown in one round")] = None
    macs: Is[Count | None, says("multiply-accumulates done in one round")] = None
    bytes: Is[Count | None, says("bytes moved in one round")] = None
    dataset: Is[Text | None, says("the digits shown, if any")] = None
    dataset_sha256: Is[Text | None, says("of their arrays")] = None
    verified: Is[Verified | None, says("against the float64 reference, before timing")] = None
    passes: Is[Count | None, says("of a training", "passes")] = None
    most_passes: Is[Positive | None, says("that a training may take", "passes at most")] = None
    seed: Is[Count | None, says("of the first weights of a training", "seed")] = None
    replicas: Is[Positive | None, says("trainings in one round", "replicas")] = None
    replica_misses: Is[list[Count] | None, says("test misses of each", "test misses each")] = None
    lr: Is[Size | None, says("learning rate, where the batch has its own", "learning rate")] = None
    lr_found: Is[Text | None, says("how `lr` was chosen", "chosen as")] = None
    levels: Is[
        list[Level] | None, says("of test error, falling; rounds have seeds `seed` and up", "to")
    ] = None
    meter: Is[Text | None, says("whose counter of the whole device's joules", "counted by")] = None
    idle_watts: Is[list[Size], says("of the device before and after each round", "idle watts")] = []
    phases: Is[Phases | None, says("seconds of a first step's parts, last round")] = None
    train: Is[Score | None, says("on the training digits, after the last pass")] = None
    test: Is[Score | None, says("on the test digits, after the last pass")] = None
    trained: Is[Trained | None, says("the recipe; where absent, that of the workload")] = None
    learned: Is[list[Learned], says("what each training learned, as `stats.data` has them")] = []
    laps: Is[list[Positive] | None, says("rounds of each lap, in the order of `stats.data`")] = None
    watch: Is[list[Watch], says("one object a lap")] = []
    retaken: Is[
        list[Retaken], says("laps that do not count, by their watch", "laps taken again")
    ] = []
    warnings: Is[list[Text], says("what a reader should know")] = []


class Stats(Struct, kw_only=True):
    """pytest-benchmark's: every raw timing, and its statistics of them."""

    data: Is[list[Size], Meta(min_length=1)]
    rounds: Positive
    min: Size
    max: Size
    mean: Size | None = None
    stddev: Size | None = None
    median: Size
    iqr: Size | None = None
    q1: Size | None = None
    q3: Size | None = None
    iqr_outliers: Size | None = None
    stddev_outliers: Size | None = None
    ld15iqr: Size | None = None
    hd15iqr: Size | None = None
    ops: Size | None = None
    total: Size | None = None
    iterations: Count | None = None
    outliers: str | None = None


STATISTICS: Final = Stats.__struct_fields__[2:-2]  # what follows from the timings, as they have it


class Benchmark(Struct):
    """One row of a file."""

    fullname: Text
    extra_info: Row
    stats: Stats


class Absent(Struct, kw_only=True):
    """Something that was not measured, and why."""

    engine: Is[Text | None, says("null is all")] = None
    device: Is[Text | None, says("null is all")] = None
    question: Is[Text | None, says("or a benchmark's name; null is all")] = None
    reason: Is[Text, says("for a person")]


class Cpu(Struct, kw_only=True):
    """The processor."""

    model: Is[Text, says("as the system calls it")]
    design: Is[Text | None, says("vendor, family, model, stepping; Arm's implementer, part")] = None
    core: Is[Text | None, says("LLVM's name of its core: znver4, apple-m1, ...")] = None
    extensions: Is[list[Text], says("of its vectors, by Linux's names")] = []
    core_kinds: Is[
        list[Positive] | None,
        says("logical cores of each kind, the fastest first; null where all are alike"),
    ] = None
    physical_cores: Is[Positive | None, says("without hyperthreads")] = None
    logical_cores: Is[Positive | None, says("with them")] = None
    arch: Is[Text | None, says("of its instructions")] = None


class Machine(Struct, kw_only=True):
    """What identifies a machine: what it is, never whose it is. No host name, user or path.

    All of it does: files that differ in anything here are of two machines.
    """

    name: Is[Name, says("the folder, made from the rest; its last part is a hash of all of it")]
    cpu: Is[Cpu, says("the processor")]
    memory_gib: Is[Size | None, says("memory, rounded up to a size that is sold")] = None
    gpus: Is[list[Text], says("their models, one entry each")] = []
    system: Is[Text | None, says("the operating system")] = None


class Commit(Struct):
    """Which code was measured."""

    id: Is[Text | None, says("null outside a repository")] = None
    dirty: Is[bool | None, says("whether files differed from it")] = None


class Dataset(Struct):
    """The digits that were shown."""

    name: Is[Text, says("usps, fonts, or a draw of mnist")]
    sha256: Is[Text, says("of the arrays")]


class Options(Struct, kw_only=True):
    """What was asked for."""

    engines: Is[list[Text] | None, says("by name")] = None
    devices: Is[list[Text] | None, says("by kind")] = None
    threads: Is[list[Positive] | None, says("of the CPU")] = None
    train_limit: Is[Size | None, says("seconds that a training may be projected to take")] = None


class Limits(Struct, kw_only=True):
    """How much of the processor the run might use; null where the system does not tell."""

    cores: Is[Positive | None, says("the smaller of `affinity` and `quota`: all threads")] = None
    affinity: Is[Positive | None, says("logical cores that it might be put on")] = None
    quota: Is[Size | None, says("cores' worth of time that cgroups grant; null for no limit")] = (
        None
    )


class States(Struct):
    """The machine before the run and after it."""

    before: Is[State | None, says("before the run")] = None
    after: Is[State | None, says("after it")] = None


class ResultFile(Struct, kw_only=True):
    """What one run on one machine said: pytest-benchmark's JSON, with these additions."""

    schema: Is[
        Positive, says(f"now {SCHEMA}; a reader refuses a newer one. 1 had no laps, no watch")
    ]
    status: Is[Literal["complete", "interrupted"], says("interrupted: Ctrl-C, or it broke off")]
    scope: Is[
        Literal["all", "part", "learning"],
        says("part: not all benchmarks were run, or one failed. learning: trainings, no speeds"),
    ]
    options: Is[Options | None, says("what was asked for")] = None
    profile: Is[Literal["smoke", "quick", "standard", "full"], says("how long rows were measured")]
    workload: Is[dict[str, Plain], says("counts of the network, and `hash`, a SHA-256 of them")]
    dataset: Is[Dataset, says("the digits")]
    software: Is[dict[str, Plain], says("versions of python, torch, numpy, ...")]
    limits: Is[Limits | None, says("how much of the processor it might use")] = None
    clock_tick: Is[Size | None, says("seconds in which the clock of the rounds ticks")] = None
    environment: Is[
        dict[str, Text] | None,
        says("variables that were set and change how fast libraries run; never a path or a name"),
    ] = None
    state: Is[States | None, says("the machine before and after the run")] = None
    absent: Is[list[Absent], says("not measured, and why")] = []
    machine_info: Is[Machine, says("what identifies the machine")]
    commit_info: Is[Commit | None, says("which code was measured")] = None
    datetime: Is[Text, says("when the file was written, ISO 8601")]
    benchmarks: Is[list[Benchmark], says("the rows, as pytest-benchmark has them")]


Kind = Literal["network", "machine", "start", "memory", "learning", "energy"]
Work = Literal["learns", "recognises", "macs", "bytes", "nothing"]


class Question(Struct, frozen=True, kw_only=True):
    """One question that rows answer.

    words: for a table or a title. round: what one round is. kind: rows of one kind are averaged
    together, and differ from run to run alike. work: what a round counts. unit: of a round's
    value, s, B or J; less of it is better. needs: fields that may not be null.
    """

    words: str
    round: str
    kind: Kind
    work: Work = "nothing"
    unit: str = "s"
    needs: tuple[str, ...] = ()

    @property
    def shows_digits(self) -> bool:
        """Whether a network is at work, and not only the machine."""
        return self.work in ("learns", "recognises")


def clocked(value: float, question: Question | None, unit: str = "s") -> bool:
    """Whether a clock or a counter may have given this for a round of the question."""
    coarse = value == 0 and not (question and question.shows_digits)
    return coarse or SHORTEST <= value <= most_of(unit)


def most_of(unit: str) -> float:
    """The largest value of a round in this unit."""
    return LONGEST if unit in ("s", "J") else MOST


def _network(words: str, a_round: str, work: Work = "learns", *needs: str) -> Question:
    who = ("engine", "steps", "presentations", "dataset", *needs)
    return Question(words=words, round=a_round, kind="network", work=work, needs=who)


def _learning(words: str) -> Question:
    who = ("engine", "steps", "presentations", "dataset", "passes", "trained")
    a_round = "a training of another seed, evaluations not counted"
    return Question(words=words, round=a_round, kind="learning", work="learns", needs=who)


def _machine(words: str, a_round: str, work: Work = "nothing") -> Question:
    return Question(words=words, round=a_round, kind="machine", work=work)


RANKS: Final = ("world", "hosts", "ranks_a_host", "backend")

# In the order in which tables show them. A question that is not here is shown as unknown.
QUESTIONS: Final[dict[str, Question]] = {
    "sgd-synced": _network(
        "per-example SGD, a wait after each step",
        "one per-example SGD step, then wait for the device: the latency of a step",
    ),
    "sgd-queued": _network(
        "per-example SGD, steps queued", "many per-example SGD steps, then wait once"
    ),
    "fullbatch": _network("full batch, one step on all digits", "one SGD step on all 7,291 digits"),
    "sweep": _network(
        "one step, at every size of batch",
        "one SGD step on `batch` digits, then wait, with all threads: 1, 4, 16, ... 1,024; "
        "`fullbatch` is the last of the sweep",
    ),
    "width": _network(
        "one step, of networks of every width",
        "one SGD step on `batch` digits, 1 or 64, then wait, with all threads; the network has "
        "`width` times the planes and units of 1989: 1, 4, 16 or 64",
        "learns",
        "width",
    ),
    "inference-one": _network(
        "recognise one digit, wait", "one digit recognised, then wait", "recognises"
    ),
    "inference-all": _network(
        "recognise all test digits at once", "all test digits recognised at once", "recognises"
    ),
    "training": _network(
        "the training run of 1989, 23 passes",
        "the whole run of 23 passes, evaluations not counted",
        "learns",
        "train",
        "test",
    ),
    "replicas": _network(
        "whole trainings side by side",
        "`replicas` whole trainings of different seeds, one a thread, evaluated at their ends",
    ),
    "ranks-full-batch": _network(
        "full batch shared out over ranks",
        "one SGD step on all 7,291 digits, shared out over `world` ranks; the slowest rank's time",
        "learns",
        *RANKS,
    ),
    "ranks-replicas": _network(
        "whole trainings on every rank",
        "`replicas` whole trainings of different seeds, as many on each of `world` ranks; the "
        "slowest rank's time",
        "learns",
        "replicas",
        *RANKS,
    ),
    "ranks-all-reduce": Question(
        words="one sum over all ranks",
        round="an all-reduce of as many float32 numbers as a step has gradients; the slowest "
        "rank's time",
        kind="machine",
        needs=RANKS,
    ),
    "time-to-error": Question(
        words="the price of speed: time to a test error",
        round="a training of its own seed at the best learning rate of its batch, until the last "
        "of `levels` or out of passes; placing and evaluating are not counted",
        kind="learning",
        needs=("engine", "batch", "dataset", "most_passes", "seed", "lr", "levels"),
    ),
    "reproduction": _learning("what recipes learn, beside what was published"),
    "choices": _learning("what choices that the article leaves open change"),
    "joules": Question(
        words="joules of the training of 1989",
        round="joules of the whole device in ten seconds or more of queued steps, for as many as "
        "the training has; an idle window before and after",
        kind="energy",
        work="learns",
        unit="J",
        needs=("engine", "steps", "presentations", "dataset", "meter"),
    ),
    "first-step-cold": Question(
        words="from nothing to the first step, caches empty",
        round="a new process from nothing to its first step, compiler caches empty",
        kind="start",
    ),
    "first-step-warm": Question(
        words="from nothing to the first step, caches warm",
        round="the same with the caches that a cold start left",
        kind="start",
    ),
    "floor-empty": _machine(
        "floor: the harness alone",
        "an engine that does nothing: the cost of the harness itself",
    ),
    "floor-sync": _machine("floor: waiting for an idle device", "waiting for an idle device"),
    "floor-launch": _machine(
        "floor: one smallest operation, wait", "one smallest operation and a wait"
    ),
    "floor-copy-digit": _machine(
        "floor: one digit to the device, wait",
        "one digit copied from the host to the device, and a wait",
        "bytes",
    ),
    "floor-fma": _machine(
        "peak: multiply-adds in registers",
        "multiply-adds between registers and nothing else: the CPU's ceiling",
        "macs",
    ),
    "floor-gemm": _machine(
        "peak: matrix product",
        "a large float32 matrix product: the rate that a library reaches",
        "macs",
    ),
    **{
        f"floor-read-{level}": _machine(
            f"peak: reading {words}", f"floats of {what}, read and summed", "bytes"
        )
        for level, words, what in (
            ("l1", "the first-level cache", "half of each thread's first-level cache"),
            ("l2", "the second-level cache", "half of each thread's part of the second level"),
            ("l3", "the third-level cache", "half of each thread's part of the third level"),
            ("memory", "memory", "an array that no cache holds"),
        )
    },
    "floor-bandwidth": _machine(
        "peak: copy within memory",
        "a large copy within the device's memory: bytes read plus written",
        "bytes",
    ),
}
