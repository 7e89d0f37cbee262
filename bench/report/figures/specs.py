"""What each figure of rows asks of the tables: one value a figure, in one list.

A question that no figure shows yet needs one entry of SPECS more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from bench.report import wording
from bench.report.figures.dots import Cell, DotPlot, Strip
from bench.report.figures.palette import ACCENT, FAINT, INK, MUTED, of_device
from bench.report.figures.sheet import TICKS, Dot, Words, left_out
from bench.report.picks import answering, best, trainings, within
from bench.report.wording import TIMES, duration, joined, percent, quantity, times
from zipnet import paper
from zipnet.results.frames import records
from zipnet.results.sweep import dispatches

ROOM: Final = 16  # rows; beyond them the best of each machine are shown
TRAININGS: Final = 22  # likewise, beside the published ones
SHAPES: Final = ("o", "s", "D")  # of the first, second and third question
SUN: Final = paper.PRESENTATIONS / paper.SUN_TRAINING_SECONDS  # presentations a second
BETTER: Final = "The better thread count of each is shown. Whiskers: 95% interval of the median."

Who = tuple[int, str | None, str]  # file, engine, device


def _dispatch(rows: pd.DataFrame) -> dict[Who, str]:
    return {_key(one.source): f"{percent(one.share)} dispatch, by {one.by}"
            for one in dispatches(rows)}  # fmt: skip


def _phases(rows: pd.DataFrame) -> dict[Who, str]:
    words = {"imports": "phases_importing", "compiling": "phases_compile", "step": "phases_step"}
    said = {}
    for row in records(best(rows, "first-step-cold")):
        phases = {word: getattr(row, column) for word, column in words.items()}
        told = [f"{word} {duration(s)}" for word, s in phases.items() if s is not None]
        said[_key(row)] = ", ".join(told)
    return said


@dataclass(frozen=True)
class Spec:
    """A figure of some questions, one row for each engine and device that answers any of them.

    questions: with words for the key, or for the heading of a panel where they stand apart.
    value: the column drawn; `each` is the row's own value of one presentation, MAC, byte or round
    in the row's own unit, any other a rate. ratio: the second question by the first is said.
    """

    name: str
    title: str
    subtitle: str
    questions: tuple[tuple[str, str], ...]
    value: str = "each"
    apart: bool = False
    ratio: bool = False
    reference: tuple[float, str] | None = None
    notes: tuple[str, ...] = ()
    remarks: Callable[[pd.DataFrame], Mapping[Who, str]] = lambda _: {}


SPECS: Final = (
    Spec(
        "macs", "How much of the machine is at work",
        "Multiply-accumulates a second, log axis. Tick: the peak that the same machine reached; "
        "per cent: of that peak.",
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
        f"Training digits shown a second, log axis. {TIMES}: full batch against one by one.",
        (("sgd-queued", "one digit a step"),
         ("fullbatch", f"full batch, {paper.TRAIN_DIGITS:,} digits a step")),
        "presentations_per_second", ratio=True,
        reference=(SUN, f"SUN-4/260: {wording.significant(SUN, 2)}"),
        notes=(
            "Throughput, not learning: a full-batch pass is one weight update, where the other "
            "makes 7,291.",
            "Dashed: 167,693 presentations in three days, LeCun et al. 1989.",
        ),
    ),
    Spec(
        "steps", "What a step on one digit costs",
        "Time of one presentation of per-example SGD, log axis, less is better.",
        (("sgd-synced", "waited for after each"), ("sgd-queued", "queued, one wait for many")),
        notes=(
            "Dispatch: the share of an eager step that is Python, autograd and launches; by "
            "replay, where the same operations were captured in a graph, or else by the sweep "
            "over batches, where its law holds.",
        ),
        remarks=_dispatch,
    ),
    Spec(
        "start", "From nothing to the first step",
        "Time of a new process, its imports and its compiling included; log axis, less is better.",
        (("first-step-cold", "caches empty"), ("first-step-warm", "caches warm")),
        notes=(
            "Below the values: the phases of the last cold start. The rest of it is the start and "
            "the end of Python itself.",
        ),
        remarks=_phases,
    ),
    Spec(
        "recognition", "Recognising digits",
        f"Digits recognised a second, log axis. {TIMES}: all at once against one by one.",
        (("inference-one", "one digit, then wait"), ("inference-all", "all test digits at once")),
        "presentations_per_second", ratio=True,
        reference=(paper.DSP_DIGITS_PER_SECOND, "PC with DSP-32C: 30"),
        notes=(
            "Dashed: 'more than 30 classifications per second' on normalised digits, LeCun et al. "
            "1989; from camera to class the PC and its DSP made 10 to 12.",
        ),
    ),
)  # fmt: skip


def plot(spec: Spec, rows: pd.DataFrame) -> DotPlot:
    """Pick a spec's rows from those of every machine's newest run."""
    questions = [question for question, _ in spec.questions]
    rows = rows.assign(each=rows["value"] / rows["works"])
    rows = rows[rows[spec.value] > 0]
    every = answering(rows, questions if spec.apart else questions[::-1])
    if not spec.apart:
        every = every.sort_values(spec.value, ascending=spec.value == "each", kind="stable")
    shown = within(every, ROOM)
    several = shown["machine"].nunique() > 1
    rows = rows[rows["file"].isin(shown["file"])]
    remarks = spec.remarks(rows)
    found = [{_key(row): row for row in records(best(rows, question))} for question in questions]
    strips = []
    for row in records(shown):
        key = _key(row)
        answers = [of.get(key) for of in found]
        groups = [[answer] for answer in answers] if spec.apart else [answers]
        cells = tuple(_cell(spec, group, remarks.get(key, "")) for group in groups)
        strips.append(
            Strip(joined((row.engine, row.device)), cells, row.machine if several else None)
        )
    words = [text for _, text in spec.questions]
    devices = [] if spec.apart else sorted(set(shown["device"]))
    shapes = [(text, Dot(0, FAINT, shape)) for text, shape in zip(words, SHAPES, strict=False)]
    keyed = ([] if spec.apart else shapes) + [(name, Dot(0, of_device(name))) for name in devices]
    notes = (*spec.notes, BETTER, *left_out(len(every) - len(shown)))
    unit = "".join(every["unit"][:1]) if spec.value == "each" else ""
    return DotPlot(
        Words(spec.title, spec.subtitle, notes, tuple(keyed)),
        strips,
        TICKS.get(unit, TICKS[""]),
        tuple(words) if spec.apart else ("",),
        spec.reference,
        _best(strips),
    )


def _cell(spec: Spec, answers: Sequence[Any], remark: str) -> Cell:
    """The dots of one row on one panel, the smallest first, and what is said of them."""
    drawn = []
    for row, shape in zip(answers, SHAPES, strict=False):
        if row is not None:
            at = getattr(row, spec.value)
            ends = [end and end / row.value for end in (row.low, row.high)]
            if spec.value != "each":
                ends = [end and 1 / end for end in ends[::-1]]
            low, high = (end and at * end for end in ends)
            drawn.append(Dot(at, of_device(row.device), shape, low, high, disturbed=row.disturbed))
    if not drawn:
        return Cell()
    dots = sorted(drawn, key=lambda dot: dot.at)
    row = next(row for row in answers if row is not None)
    known = spec.value == "each"
    texts = [wording.amount(dot.at, row.unit) if known else quantity(dot.at) for dot in dots]
    of_peak = row.share_of_peak if spec.value == "macs_per_second" else None
    ratio = times(drawn[1].at / drawn[0].at) if spec.ratio and len(drawn) > 1 else None
    right = joined((texts[-1], of_peak and percent(of_peak), ratio))
    peak = row.peak_macs_per_second if of_peak else None
    return Cell(tuple(dots), right, texts[0] if len(dots) > 1 else "", remark, peak)


def training_plot(rows: pd.DataFrame) -> DotPlot:
    """1989, the published runs and ours, slowest first."""
    every = trainings(rows)
    shown = within(every, TRAININGS)
    several = shown["machine"].nunique() > 1
    ours = [_ours(row, row.machine if several else None) for row in records(shown)]
    title = "Training the zip-code network of 1989"
    if ours:
        title = f"{title}: three days then, {duration(ours[0].cells[0].dots[0].at)} here"
    kinds = sorted(set(zip(shown["device"], shown["training_kind"], strict=True)))
    words = Words(
        title,
        f"{paper.PRESENTATIONS:,} digits shown one by one, a weight update after each. "
        "Time on a log axis, less is better.",
        (
            "Filled: the whole run was made. Hollow: projected, the median time of a queued step "
            f"times {paper.PRESENTATIONS:,}. Whiskers: 95% interval of the median, if known.",
            f"{TIMES}: against the three days, a remark of one significant figure (LeCun et al., "
            "Neural Computation 1(4), 1989). Others include evaluations; sources: index.html.",
            *left_out(len(every) - len(shown)),
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


def _best(strips: Sequence[Strip]) -> str:
    for strip in strips:
        said = next(cell.lines[0] for cell in strip.cells if cell.dots)
        return f"Best here: {joined((strip.name, strip.machine))}, {said}."
    return ""


def _ours(row: Any, machine: str | None) -> Strip:
    projected, learned = row.training_kind != "measured", None
    if not projected and row.test_misses is not None:
        of = "" if row.dataset == "usps" else f" on {wording.cut(row.dataset, 12)}"
        learned = f"{row.test_misses} test misses{of}"
    seconds, ends = row.training_seconds, (row.training_low, row.training_high)
    dot = Dot(seconds, of_device(row.device), "o", *ends, projected, row.disturbed)
    said = joined((duration(seconds), times(row.times_sun), learned))
    return Strip(wording.who(row), (Cell((dot,), said, stem=True),), machine)


def _published(run: paper.Published) -> Strip:
    ratio = paper.SUN_TRAINING_SECONDS / run.seconds
    said, color, shape, ink = times(ratio), FAINT, "D", MUTED
    if ratio == 1:
        said, color, shape, ink = f"{paper.TEST_MISSES} test misses", ACCENT, "s", INK
    cell = Cell((Dot(run.seconds, color, shape),), joined((duration(run.seconds), said)), stem=True)
    return Strip(f"{run.label}, {run.year}", (cell,), color=ink)


def _key(row: Any) -> Who:
    return row.file, row.engine, row.device
