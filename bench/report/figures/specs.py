"""What each figure of rows asks of the tables: one value a figure, in one list.

To show a question that no figure shows yet, add an entry to SPECS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from operator import attrgetter
from typing import Any, Final

import pandas as pd

from bench.report import wording
from bench.report.figures.curves import SWEEP
from bench.report.figures.dots import MOST, Cell, DotPlot, Strip, crowd
from bench.report.figures.palette import ACCENT, FAINT, INK, MUTED, of_device
from bench.report.figures.sheet import TICKS, Dot, Words, left_out
from bench.report.picks import answering, best, crowded, trainings, whose
from bench.report.wording import TIMES, counted, duration, joined, percent, quantity, times
from zipnet import paper
from zipnet.results.runs import grouped, records, who
from zipnet.results.scaling import gains
from zipnet.results.sweep import dispatches

ROOM: Final = 22  # rows
SHAPES: Final = ("o", "s", "D")  # of the first, second and third question
SUN: Final = paper.PRESENTATIONS / paper.SUN_TRAINING_SECONDS  # presentations a second
BETTER: Final = "The better thread count of each is shown."
WHISKERS: Final = "Whiskers: 95% interval of the median."
CROWD: Final = (
    "A mark is a machine. The fastest and the slowest are named; the others in index.html, where "
    "one points at them and in its tables."
)
THINNED: Final = f"Of more than {MOST} machines marks are shown at equal steps of their order."

Who = tuple[Any, ...]  # file, engine, device


def _dispatch(rows: pd.DataFrame) -> dict[Who, str]:
    return {who(one.source): f"{percent(one.share)} dispatch, by {one.by}"
            for one in dispatches(rows)}  # fmt: skip


def _phases(rows: pd.DataFrame) -> dict[Who, str]:
    words = {"imports": "phases_importing", "compiling": "phases_compile", "step": "phases_step"}
    said = {}
    for row in records(best(rows, "first-step-cold")):
        phases = {word: getattr(row, column) for word, column in words.items()}
        told = [f"{word} {duration(s)}" for word, s in phases.items() if s is not None]
        said[who(row)] = ", ".join(told)
    return said


@dataclass(frozen=True)
class Spec:
    """A figure of some questions, one row for each engine and device that answers any of them.

    questions: with words for the key, or for the heading of a panel where they stand apart.
    value: the column drawn; `each` is the row's own value of one presentation, MAC, byte or round
    in the row's own unit, any other a rate. ratio: in words, what the ratio of the two questions
    says. sizes: the column of which the least, the middle and the largest value are questions of
    their own, and words for one. remarks: what is said of a row besides, or of its answer to one
    question, and about_remarks what that is. A crowd of machines stands apart, question by
    question, without remarks and ratios.
    """

    name: str
    title: str
    subtitle: str
    questions: tuple[tuple[str, str], ...]
    value: str = "each"
    apart: bool = False
    ratio: str = ""
    reference: tuple[float, str] | None = None
    notes: tuple[str, ...] = ()
    sizes: tuple[str, str] | None = None
    remarks: Callable[[pd.DataFrame], Mapping[Who, str]] = lambda _: {}
    about_remarks: tuple[str, ...] = ()


SPECS: Final = (
    Spec(
        "macs", "How much of the machine is at work",
        "Multiply-accumulates a second, log axis. Per cent: of the peak that the same machine "
        "reached.",
        (("sgd-queued", "SGD, digit by digit"), ("fullbatch", "SGD, full batch"),
         ("inference-all", "recognition, all at once")),
        "macs_per_second", apart=True,
        reference=(paper.DSP_PEAK_MACS_PER_SECOND, "DSP-32C peak rating"),
        notes=(
            f"A step on one digit: {paper.STEP_MACS:,} MACs; a recognition: {paper.MACS:,}. The "
            "peak is that of the same run, device and threads: a loop of FMAs or a matrix product.",
            f"Dashed: AT&T DSP-32C, {quantity(paper.DSP_PEAK_MACS_PER_SECOND)} MAC/s, peak rating "
            "of the board that recognised digits in 1989; it did not train (LeCun et al. 1989).",
        ),
    ),
    Spec(
        "batches", "Digit by digit, or all digits at once",
        "Training digits shown a second, log axis.",
        (("sgd-queued", "one digit a step"),
         ("fullbatch", f"full batch, {paper.TRAIN_DIGITS:,} digits a step")),
        "presentations_per_second", ratio="full batch against one by one",
        reference=(SUN, f"SUN-4/260: {wording.significant(SUN, 2)}"),
        notes=(
            "Throughput, not learning: a full-batch pass is one weight update, where the other "
            f"makes {paper.TRAIN_DIGITS:,}.",
            f"Dashed: {paper.PRESENTATIONS:,} presentations in three days, LeCun et al. 1989.",
        ),
    ),
    Spec(
        "steps", "What a step on one digit costs",
        "Time of one presentation of per-example SGD, log axis, less is better.",
        (("sgd-synced", "waited for after each"), ("sgd-queued", "queued, one wait for many")),
        remarks=_dispatch,
        about_remarks=(
            "Dispatch: the share of an eager step that is Python, autograd and launches; by "
            "replay, where the same operations were captured in a graph, or else by the sweep "
            "over batches, where its law holds.",
        ),
    ),
    Spec(
        "start", "From nothing to the first step",
        "Time of a new process, its imports and its compiling included; log axis, less is better.",
        (("first-step-cold", "caches empty"), ("first-step-warm", "caches warm")),
        remarks=_phases,
        about_remarks=(
            "Below the values: the phases of the last cold start. The rest of it is the start and "
            "the end of Python itself.",
        ),
    ),
    Spec(
        "recognition", "Recognising digits",
        "Digits recognised a second, log axis.",
        (("inference-one", "one digit, then wait"), ("inference-all", "all test digits at once")),
        "presentations_per_second", ratio="all at once against one by one",
        reference=(paper.DSP_DIGITS_PER_SECOND, "PC with DSP-32C: 30"),
        notes=(
            "Dashed: 'more than 30 classifications per second' on normalised digits, LeCun et al. "
            "1989; from camera to class the PC and its DSP made 10 to 12.",
        ),
    ),
)  # fmt: skip


# What the curves of laws show of few machines, of a crowd.
SWEPT: Final = Spec(
    "sweep", SWEEP.title,
    "Time of a training step by the digits in it, log axis, less is better.",
    (("fullbatch", f"all {paper.TRAIN_DIGITS:,} in one step"),),
    apart=True,
    sizes=("batch", "{:,.0f} in a step"),
)  # fmt: skip
CLIMBED: Final = Spec(
    "width", "What a step on one digit costs in a narrow and in a wide network",
    "Time of a training step, by times the planes and units of 1989; log axis, less is better.",
    (),
    apart=True,
    sizes=("width", "width {:.0f}"),
)  # fmt: skip


def _by_size(spec: Spec, rows: pd.DataFrame, by: str, words: str) -> tuple[Spec, pd.DataFrame]:
    """A question for each of three sizes, and the rows that answer it."""
    name = f"{spec.name} {{:.0f}}"
    values = rows[by].where(rows["question"] == spec.name).astype(float)
    sizes = sorted(values.dropna().unique())
    shown = dict.fromkeys(sizes[at] for at in (0, len(sizes) // 2, -1) if sizes)
    asked = tuple((name.format(size), words.format(size)) for size in shown)
    question = rows["question"].astype(object).where(values.isna(), values.map(name.format))
    spec = replace(spec, questions=(*asked, *spec.questions) or ((spec.name, ""),))
    return spec, rows.assign(question=question)


def _gained(rows: pd.DataFrame) -> dict[Who, str]:
    return {(*who(gain.source), gain.source.question): f"{times(gain.speedup)} one rank"
            for gain in gains(rows) if gain.speedup}  # fmt: skip


# A line is a world of ranks; engine and device are the key of any other figure.
RANKED: Final = Spec(
    "ranks", "What more ranks add",
    "Time of a presentation, or of a sum; log axis, less is better.",
    (("ranks-full-batch", "all digits, shared out"),
     ("ranks-replicas", "networks of their own"),
     ("ranks-all-reduce", "the sum alone")),
    apart=True,
    notes=(
        "Ranks are processes that torchrun starts, one a device or a share of the cores. A round "
        "takes as long as its slowest rank; worlds of all sizes took turns in one run.",
    ),
    remarks=_gained,
    about_remarks=(f"{TIMES}: presentations a second against those of one rank in the same run.",),
)  # fmt: skip


JOULES: Final = Spec(
    "joules", "What the training of 1989 takes in joules",
    f"Joules of the whole device for {paper.PRESENTATIONS:,} presentations, log axis, less is "
    "better.",
    (("joules", "queued steps, digit by digit"),),
    notes=("Counted by the device itself, and so is what it takes for idling meanwhile.",),
)  # fmt: skip


def ranks_plot(rows: pd.DataFrame) -> DotPlot:
    """Every world of ranks of each device."""
    ranked = rows[rows["world"] > 0]
    named = [counted(int(world), "rank") for world in ranked["world"]]
    return plot(RANKED, ranked.assign(engine=named))


def plot(spec: Spec, rows: pd.DataFrame) -> DotPlot:
    """Pick a spec's rows from those of every machine's newest run."""
    if spec.sizes:
        spec, rows = _by_size(spec, rows, *spec.sizes)
    questions, many = [question for question, _ in spec.questions], crowded(rows)
    about = _of_crowd(rows) or (*spec.about_remarks, f"{BETTER} {WHISKERS}")
    apart = spec.apart or many
    rows = rows.assign(each=rows["value"] / rows["works"])
    rows = rows[rows[spec.value] > 0]
    every = answering(rows, questions if apart else questions[::-1])
    if not spec.apart:
        every = every.sort_values(spec.value, ascending=spec.value == "each", kind="stable")
    every = every.drop_duplicates(line := whose(rows))
    shown = every.head(ROOM)
    several = not many and shown["machine"].nunique() > 1
    remarks = spec.remarks(rows[rows["file"].isin(shown["file"])])
    shapes = SHAPES[:1] * len(questions) if apart else SHAPES
    found = [grouped(best(rows, question), *line) for question in questions]
    strips = []
    for row in records(shown):
        groups = [[(one, shape) for one in of.get(attrgetter(*line)(row), ())]
                  for of, shape in zip(found, shapes, strict=False)]  # fmt: skip
        panels = groups if apart else [[*chain(*groups)]]
        cells = tuple(_cell(spec, group, remarks, many=many) for group in panels)
        name = joined((row.engine, row.device))
        strips.append(Strip(name, cells, row.machine if several else None))
    words, key = [text for _, text in spec.questions], list[tuple[str, Dot]]()
    if not apart:
        key += [(text, Dot(0, FAINT, shape)) for text, shape in zip(words, SHAPES, strict=False)]
    if not spec.apart:
        key += [(name, Dot(0, of_device(name))) for name in sorted(set(shown["device"]))]
    if any(cell.peak for strip in strips for cell in strip.cells):
        key.append(("peak of the same machine", Dot(0, INK, "|")))
    ratio = f"{TIMES}: {spec.ratio}." if spec.ratio and not many else ""
    rate = spec.value != "each"
    unit = "" if rate else "".join(every["unit"][:1])
    return DotPlot(
        Words(
            spec.title,
            joined((spec.subtitle, ratio), " "),
            (*spec.notes, *about, *left_out(len(every) - len(shown))),
            tuple(key),
        ),
        strips,
        TICKS.get(unit, TICKS[""]),
        tuple(words) if apart else ("",),
        many,
        spec.reference,
        _best(strips, -1 if rate else 0),
    )


def _cell(
    spec: Spec, answers: Sequence[tuple[Any, str]], remarks: Mapping[Who, str], *, many: bool
) -> Cell:
    """The dots of one row on one panel, the smallest first, and what is said of them."""
    drawn: list[tuple[Dot, str]] = []
    for row, shape in answers:
        at = getattr(row, spec.value)
        ends = [end and end / row.value for end in (row.low, row.high)]
        if spec.value != "each":
            ends = [end and 1 / end for end in ends[::-1]]
        low, high = (None if many else end and at * end for end in ends)
        of_peak = percent(row.share_of_peak) if _has_peak(spec, row) else None
        text = wording.amount(at, row.unit) if spec.value == "each" else quantity(at)
        text, remark = joined((text, of_peak)), _remark(remarks, row)
        title = joined((row.machine, wording.who(row), text, remark))
        dot = Dot(at, of_device(row.device), shape, low, high, disturbed=row.disturbed, title=title)
        drawn.append((dot, joined((text, row.machine)) if many else text))
    if not drawn:
        return Cell()
    if many:
        return crowd(drawn)
    drawn.sort(key=lambda one: one[0].at)
    (least, left), (most, right) = drawn[0], drawn[-1]
    row, single = answers[0][0], len(drawn) == 1
    ratio = times(most.at / least.at) if spec.ratio and not single else None
    return Cell(
        tuple(dot for dot, _ in drawn),
        joined((right, ratio)),
        "" if single else left,
        _remark(remarks, row) or "",
        row.peak_macs_per_second if _has_peak(spec, row) else None,
    )


def _remark(remarks: Mapping[Who, str], row: Any) -> str | None:
    return remarks.get((*who(row), row.question)) or remarks.get(who(row))


def _of_crowd(rows: pd.DataFrame) -> tuple[str, ...]:
    """The notes of a figure whose marks are machines."""
    if not crowded(rows):
        return ()
    return (f"{BETTER} {CROWD}", *([THINNED] if rows["machine"].nunique() > MOST else []))


def _has_peak(spec: Spec, row: Any) -> bool:
    return spec.value == "macs_per_second" and bool(row.share_of_peak)


def training_plot(rows: pd.DataFrame) -> DotPlot:
    """1989, the published runs and ours, slowest first."""
    every, many = trainings(rows), crowded(rows)
    together = grouped(every, *whose(rows))
    shown = dict(islice(together.items(), ROOM))
    several = not many and every["machine"].nunique() > 1
    ours = [_ours(group, many=many, several=several) for group in shown.values()]
    title = "Training the zip-code network of 1989"
    if ours:
        title = f"{title}: three days then, {duration(ours[0].cells[0].dots[0].at)} here"
    kinds = sorted({(row.device, row.training_kind) for group in shown.values() for row in group})
    words = Words(
        title,
        f"{paper.PRESENTATIONS:,} digits shown one by one, a weight update after each. "
        "Time on a log axis, less is better.",
        (
            "Filled: the whole run was made. Hollow: projected, the median time of a queued step "
            f"times {paper.PRESENTATIONS:,}." + ("" if many else f" {WHISKERS[:-1]}, if known."),
            f"{TIMES}: against the three days, a remark of one significant figure (LeCun et al., "
            "Neural Computation 1(4), 1989). Others include evaluations; sources: index.html.",
            *_of_crowd(rows),
            *left_out(len(together) - len(shown)),
        ),
        (
            ("SUN-4/260, 1989", Dot(0, ACCENT, "s")),
            ("published by others", Dot(0, FAINT, "D")),
            *((f"{d}, {kind}", Dot(0, of_device(d), hollow=kind != "measured"))
              for d, kind in kinds),
        ),
    )  # fmt: skip
    strips = [*ours, *map(_published, paper.PUBLISHED)]
    strips.sort(key=lambda strip: -strip.cells[0].dots[0].at)
    return DotPlot(words, strips, TICKS["s"], best=_best(ours))


def _best(strips: Sequence[Strip], end: int = 0) -> str:
    """What the first row says; of a crowd at this end of it."""
    for strip in strips:
        cell = next(cell for cell in strip.cells if cell.dots)
        said = cell.named[end] if cell.named else cell.lines[0]
        return f"Best here: {joined((strip.name, strip.machine))}, {said}."
    return ""


def _ours(rows: Sequence[Any], *, many: bool, several: bool) -> Strip:
    """What one engine on one device takes, on one machine or on many of them."""
    drawn = []
    for row in rows:
        projected, learned = row.training_kind != "measured", None
        if not projected and row.test_misses is not None:
            of = "" if row.dataset == "usps" else f" on {wording.cut(row.dataset, 12)}"
            learned = f"{row.test_misses}{'' if many else ' test'} misses{of}"
        seconds = row.training_seconds
        low, high = (None if many else end for end in (row.training_low, row.training_high))
        said = (duration(seconds), times(row.times_sun), learned)
        title = joined((row.machine, wording.who(row), row.training_kind, *said))
        color = of_device(row.device)
        dot = Dot(seconds, color, "o", low, high, projected, row.disturbed, title)
        drawn.append((dot, joined((said[0], learned, row.machine) if many else said)))
    row, ((dot, text), *_) = rows[0], drawn
    if many:
        return Strip(joined((row.engine, row.device)), (crowd(drawn),))
    return Strip(
        wording.who(row), (Cell((dot,), text, stem=True),), row.machine if several else None
    )


def _published(run: paper.Published) -> Strip:
    ratio = paper.SUN_TRAINING_SECONDS / run.seconds
    said, color, shape, ink = times(ratio), FAINT, "D", MUTED
    if ratio == 1:
        said, color, shape, ink = f"{paper.TEST_MISSES} test misses", ACCENT, "s", INK
    cell = Cell((Dot(run.seconds, color, shape),), joined((duration(run.seconds), said)), stem=True)
    return Strip(f"{run.label}, {run.year}", (cell,), color=ink)
