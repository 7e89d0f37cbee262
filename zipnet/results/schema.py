"""What a result file says: the only place that lists its fields and its questions.

bench/measuring fills these structs and saves them, zipnet.results decodes them, and the tables of
results/README.md are written from them (tests/results_readme.py). A new field is a line here, its
writer and its display; a new question is an entry of QUESTIONS and a bench_*.py. What stands here
says what may be in a file; whether the numbers of one agree is asked in check.py.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

SCHEMA: Final = 2  # and 1, which had no laps and watched no rows
LONGEST_TEXT: Final = 2_000  # characters; the longest honest field is an error message

# pytest-benchmark's names for what it derives from the timings.
STATISTICS: Final = (
    "min", "max", "mean", "stddev", "median", "iqr", "q1", "q3", "iqr_outliers", "stddev_outliers",
    "ld15iqr", "hd15iqr", "ops", "total",
)  # fmt: skip

Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Size = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Positive = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Plain = str | int | float | bool | None  # a fact that is only shown, or only hashed


def says(text: str, fact: str = "", unit: str = "") -> Meta:
    """Describe a field. fact: the words by which a page shows it, where no column of its own does;
    unit: s or B where the value is a time or a size.
    """
    return Meta(description=text, extra={"fact": fact, "unit": unit} if fact else {})


class Score(Struct):
    """What a network had learned."""

    misses: Annotated[Count, says("digits classified wrongly")]
    loss: Annotated[Size, says("mean of the recipe's own loss over the digits")]
    error: Annotated[Size | None, says("misses in per cent")] = None


class Verified(Struct):
    """How an engine was held to the float64 reference before it was timed."""

    steps: Annotated[
        Count | None, says("steps followed; 0 where outputs were compared", "verified steps")
    ] = None
    loss_distance: Annotated[Size | None, says("largest distance of a loss", "losses off by")] = (
        None
    )
    param_distance: Annotated[
        Size | None, says("largest distance of a parameter", "parameters off by")
    ] = None
    tolerance: Annotated[Size | None, says("what was allowed", "of an allowed")] = None


class Phases(Struct, rename={"importing": "import"}):
    """Where the last round of a first-step row spent its time."""

    importing: Annotated[Size | None, says("seconds of imports", "imports", "s")] = None
    compile: Annotated[Size | None, says("seconds of compiling", "compiling", "s")] = None
    step: Annotated[Size | None, says("seconds of the step itself", "the step", "s")] = None


class State(Struct, kw_only=True, gc=False):
    """Readings of the machine at one moment; null where it does not tell."""

    load_1min: Annotated[Size | None, says("the system's load average")] = None
    cpu_mhz: Annotated[Size | None, says("clock of the processor")] = None
    memory_available: Annotated[Size | None, says("bytes")] = None
    power: Annotated[Text | None, says("mains or battery")] = None
    throttled: Annotated[
        Size | None,
        says("how often any core was slowed down for heat since boot; Linux on Intel"),
    ] = None
    speed_limit: Annotated[Size | None, says("per cent of its speed that macOS grants")] = None
    gpu_mhz: Annotated[Size | None, says("with an NVIDIA GPU and nvidia-ml-py")] = None
    gpu_celsius: Annotated[Size | None, says("likewise")] = None
    gpu_throttle: Annotated[
        str | None, says("likewise: why it runs slowly, empty for no reason")
    ] = None


class Watch(Struct, kw_only=True, gc=False):
    """What the machine was seen doing during one lap of a row; null where it does not tell."""

    seconds: Annotated[Size, says("how long the lap lasted, its warming included")]
    own_cpu_seconds: Annotated[Size | None, says("core-seconds of the measuring process")] = None
    other_cpu_seconds: Annotated[
        Size | None, says("core-seconds of every other process of the machine")
    ] = None
    stolen_cpu_seconds: Annotated[
        Size | None, says("core-seconds that a hypervisor gave to somebody else")
    ] = None
    before: Annotated[State | None, says("readings as in `state`")] = None
    after: Annotated[State | None, says("likewise")] = None


class Row(Struct, kw_only=True):
    """A benchmark's `extra_info`: who did what in one round.

    Rates are never stored: presentations per second is presentations / timing.
    """

    question: Annotated[Text, says("see below")]
    engine: Annotated[
        Text | None, says("who ran it; null where the machine itself is measured")
    ] = None
    device: Annotated[Text, says("cpu, cuda, mps, xpu; read back from the tensors")]
    device_name: Annotated[Text | None, says("the device's model")] = None
    dtype: Annotated[Text | None, says("of the arithmetic")] = None
    unit: Annotated[Text, says("of `stats.data`: s, or B for bytes; absent in older files: s")] = (
        "s"
    )
    threads: Annotated[
        Positive | None, says("CPU threads the row was allowed, null on an accelerator")
    ] = None
    batch: Annotated[Count | None, says("digits a step")] = None
    steps: Annotated[
        Count | None, says("steps in one round; 0 where digits are only recognised")
    ] = None
    presentations: Annotated[Count | None, says("digits shown in one round")] = None
    macs: Annotated[Count | None, says("multiply-accumulates done in one round")] = None
    bytes: Annotated[Count | None, says("bytes moved in one round")] = None
    dataset: Annotated[
        Text | None, says("the digits shown; null where the machine itself is measured")
    ] = None
    dataset_sha256: Annotated[Text | None, says("of their arrays")] = None
    verified: Annotated[Verified | None, says("against the float64 reference, before timing")] = (
        None
    )
    passes: Annotated[Count | None, says("of a training", "passes")] = None
    seed: Annotated[Count | None, says("of the first weights of a training", "seed")] = None
    replicas: Annotated[Positive | None, says("trainings in one round", "replicas")] = None
    replica_misses: Annotated[
        list[Count] | None, says("test misses of each replica", "test misses each")
    ] = None
    phases: Annotated[Phases | None, says("seconds of a first step's parts, last round")] = None
    train: Annotated[Score | None, says("on the training digits, after the last pass")] = None
    test: Annotated[Score | None, says("on the test digits, after the last pass")] = None
    laps: Annotated[
        list[Positive] | None,
        says("rounds taken in each lap, in the order of `stats.data`; laps lie minutes apart"),
    ] = None
    watch: Annotated[list[Watch], says("one object a lap")] = field(default_factory=list)
    warnings: Annotated[list[Text], says("what a reader should know")] = field(default_factory=list)


class Stats(Struct, kw_only=True):
    """pytest-benchmark's: every raw timing, and its statistics of them."""

    data: Annotated[list[Size], Meta(min_length=1)]
    rounds: Positive
    min: Size
    max: Size
    median: Size
    iterations: Count | None = None
    mean: Size | None = None
    stddev: Size | None = None
    iqr: Size | None = None
    q1: Size | None = None
    q3: Size | None = None
    iqr_outliers: Size | None = None
    stddev_outliers: Size | None = None
    ld15iqr: Size | None = None
    hd15iqr: Size | None = None
    ops: Size | None = None
    total: Size | None = None
    outliers: str | None = None


class Benchmark(Struct):
    """One row of a file."""

    fullname: Text
    extra_info: Row
    stats: Stats


class Absent(Struct, kw_only=True):
    """Something that was not measured, and why."""

    engine: Annotated[Text | None, says("null is all")] = None
    device: Annotated[Text | None, says("null is all")] = None
    question: Annotated[Text | None, says("or a benchmark's name; null is all")] = None
    reason: Annotated[Text, says("for a person")]


class Cpu(Struct, kw_only=True):
    """The processor."""

    model: Annotated[Text, says("as the system calls it")]
    physical_cores: Annotated[Positive | None, says("without hyperthreads")] = None
    logical_cores: Annotated[Positive | None, says("with them")] = None
    arch: Annotated[Text | None, says("of its instructions")] = None


class Machine(Struct, kw_only=True):
    """What identifies a machine: what it is, never whose it is. No host name, user or path."""

    name: Annotated[Text, says("the folder, made from the rest")]
    cpu: Annotated[Cpu, says("the processor")]
    memory_gib: Annotated[Size | None, says("memory")] = None
    gpus: Annotated[list[Text], says("their models")] = field(default_factory=list)
    system: Annotated[Text | None, says("the operating system")] = None


class Commit(Struct):
    """Which code was measured."""

    id: Annotated[Text | None, says("null outside a repository")] = None
    dirty: Annotated[bool | None, says("whether files differed from it")] = None


class Dataset(Struct):
    """The digits that were shown."""

    name: Annotated[Text, says("usps, mnist, fonts")]
    sha256: Annotated[Text, says("of the arrays")]


class Options(Struct, kw_only=True):
    """What was asked for."""

    engines: Annotated[list[Text] | None, says("by name")] = None
    devices: Annotated[list[Text] | None, says("by kind")] = None
    threads: Annotated[list[Positive] | None, says("of the CPU")] = None
    train_limit: Annotated[
        Size | None, says("seconds that a whole training was projected to take at most")
    ] = None


class States(Struct):
    """The machine before the run and after it."""

    before: Annotated[State | None, says("before the run")] = None
    after: Annotated[State | None, says("after it")] = None


class ResultFile(Struct, kw_only=True):
    """What one run on one machine said: pytest-benchmark's JSON, with these additions."""

    schema: Annotated[
        Positive,
        says(
            f"integer, now {SCHEMA}. A reader refuses a newer one by name. Schema 1 had no `laps` "
            "and no `watch`: each row was measured in one go."
        ),
    ]
    status: Annotated[
        Literal["complete", "interrupted"],
        says("`interrupted`: Ctrl-C, or the session broke off; what was measured until then"),
    ]
    scope: Annotated[
        Literal["all", "part"],
        says("`part` where options chose some benchmarks or settings, or where one failed"),
    ]
    options: Annotated[Options | None, says("what was asked for")] = None
    profile: Annotated[
        Literal["smoke", "quick", "standard", "full"], says("how long each row was measured")
    ]
    workload: Annotated[
        dict[str, Plain],
        says("counts of the network and its training run, and `hash`, a SHA-256 of the others"),
    ]
    dataset: Annotated[Dataset, says("the digits")]
    software: Annotated[dict[str, Plain], says("versions of python, torch, numpy, ...")]
    state: Annotated[States | None, says("the machine before and after the run")] = None
    absent: Annotated[list[Absent], says("what was not measured, and why")] = field(
        default_factory=list
    )
    machine_info: Annotated[Machine, says("what identifies the machine")]
    commit_info: Annotated[Commit | None, says("which code was measured")] = None
    datetime: Annotated[Text, says("when the file was written, ISO 8601")]
    benchmarks: Annotated[list[Benchmark], says("the rows, as pytest-benchmark has them")]


Kind = Literal["network", "machine", "start", "memory", "learning"]
Work = Literal["learns", "recognises", "macs", "bytes", "nothing"]


class Question(Struct, frozen=True, kw_only=True):
    """One question that rows answer.

    words: for a table or a title. round: what one round is. kind: rows of one kind are averaged
    together, and differ from run to run alike. work: what a round counts. unit: of a round's
    value, s or B; less of it is better. needs: fields that may not be null.
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


def _network(words: str, a_round: str, work: Work = "learns", *needs: str) -> Question:
    who = ("engine", "steps", "presentations", "dataset", *needs)
    return Question(words=words, round=a_round, kind="network", work=work, needs=who)


def _machine(words: str, a_round: str, work: Work = "nothing") -> Question:
    return Question(words=words, round=a_round, kind="machine", work=work)


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
    "floor-bandwidth": _machine(
        "peak: copy within memory",
        "a large copy within the device's memory: bytes read plus written",
        "bytes",
    ),
}
