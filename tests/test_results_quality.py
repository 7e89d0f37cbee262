"""Each doubt is raised by what it is about, with its figure, and by next to nothing else."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import records_factory as factory
from zipnet.results import modes
from zipnet.results.modes import dip, has_two_modes
from zipnet.results.quality import FORBID, REMEDIES, doubts
from zipnet.results.schema import Watch
from zipnet.results.statistics import Ragged, Rounds

LAPS, EACH = 5, 20


def doubted(*rows, laps=None, **readings):
    """The doubts of rows of timings, each with as many laps, watched alike."""
    rows = [np.asarray(row, float) for row in rows]
    laps = [laps or tuple(factory.laps_of(len(row), LAPS)) for row in rows]
    seen = msgspec.convert(factory.watch(**readings), Watch)
    return doubts(Rounds(rows, laps), [[seen] * len(each) for each in laps])


def found(*row, **readings):
    """The doubts of one row, by kind."""
    (text,) = doubted(*row, **readings)["quality"]
    return dict(doubt.split(": ", 1) for doubt in text.split("; ") if doubt)


def calm(seed=0, noise=0.01, count=LAPS * EACH):
    return np.random.default_rng(seed).lognormal(0.0, noise, count)


def test_a_calm_row_is_in_no_doubt():
    columns = doubted(calm())
    assert {name: column.tolist() for name, column in columns.items()} == {
        "quality": [""], "forbidden": [None], "disturbed": [False],
    }  # fmt: skip


def slow_openings(data):
    for lap in range(LAPS):
        data[lap * EACH : lap * EACH + 2] *= 1.5
    return data


DISTURBED = {
    "few rounds": (lambda: calm(count=5), "5 rounds, and 6 make an interval"),
    "spread": (lambda: calm(noise=0.2), "% of the median"),
    "drift": (lambda: calm() * np.repeat([1, 1.05, 1.1, 1.15, 1.2], EACH), "apart and rose"),
    "slow start": (lambda: slow_openings(calm()), "the first rounds lie "),
    "two modes": (
        lambda: calm() * np.where(np.random.default_rng(5).random(LAPS * EACH) < 0.3, 1.3, 1),
        "of the rounds lie 3",
    ),
}


@pytest.mark.parametrize("kind", DISTURBED)
def test_timings_that_are_not_calm_are_doubted_for_what_they_are(kind):
    make, says = DISTURBED[kind]
    data = make()
    told = found(data)
    assert says in told[kind]
    assert REMEDIES[kind].endswith(".")
    assert set(told) <= {kind, "spread"}
    columns = doubted(data)
    assert columns["forbidden"][0] == (told[kind] if kind == "few rounds" else None)
    assert not columns["disturbed"][0]


READINGS = {
    "busy": ({"other_cpu_seconds": 0.45}, "another process used 1.7 cores in lap 1 of 5"),
    "stolen": ({"stolen_cpu_seconds": 0.25}, "the hypervisor took 0.92 cores away in lap 1 of 5"),
    "battery": ({"before": {"power": "battery"}}, "measured on battery"),
    "throttled": (
        {"before": {"throttled": 3}, "after": {"throttled": 15}},
        "the processor throttled 12 times",
    ),
    "throttled clock": (
        {"before": {"cpu_mhz": 3000}, "after": {"cpu_mhz": 1200}},
        "the processor's clock fell from 3000 to 1200 MHz",
    ),
    "throttled GPU clock": (
        {"before": {"gpu_mhz": 1980}, "after": {"gpu_mhz": 1200}},
        "the GPU's clock fell from 1980 to 1200 MHz",
    ),
    "throttled by the system": (
        {"after": {"speed_limit": 80}},
        "the system held the processor at 80% of its speed",
    ),
    "system time": ({"own_system_seconds": 0.2}, "80% of its own time was the kernel's"),
    "system time alone": (
        {"own_cpu_seconds": None, "own_system_seconds": 0.2},
        "100% of its own time was the kernel's",
    ),
    "throttled GPU": ({"after": {"gpu_throttle": "sw power cap"}}, "slowed: sw power cap"),
}


@pytest.mark.parametrize("kind", READINGS)
def test_what_the_machine_was_seen_doing_is_doubted(kind):
    readings, says = READINGS[kind]
    ((name, text),) = found(calm(), **readings).items()
    assert kind.startswith(name)
    assert says in text
    columns = doubted(calm(), **readings)
    assert columns["forbidden"][0] == (text if kind in ("busy", "stolen") else None)
    assert columns["disturbed"][0] == (kind in ("busy", "stolen"))


def test_what_forbids_a_verdict_is_said_first():
    told = doubted(calm(noise=0.2)[:50], other_cpu_seconds=0.45, before={"power": "battery"})
    assert [doubt.split(": ")[0] for doubt in told["quality"][0].split("; ")] == [
        "busy", "battery", "spread",
    ]  # fmt: skip
    few = doubted([1.0], laps=(1,), other_cpu_seconds=0.45)
    assert few["forbidden"][0] == "1 round, and 6 make an interval"
    assert few["disturbed"][0]
    assert list(REMEDIES)[: len(FORBID)] == list(FORBID)


QUIET = [
    {"other_cpu_seconds": 0.1},
    {"other_cpu_seconds": None, "stolen_cpu_seconds": None},
    {"seconds": 0.1, "other_cpu_seconds": 0.05},  # a few ticks of the counters
    {"seconds": 0.0, "other_cpu_seconds": 0.0},
    {"after": {"gpu_throttle": "none", "cpu_mhz": 2599}},
    {"after": {"gpu_throttle": "", "speed_limit": 100}},
    {"before": {"cpu_mhz": 1200}, "after": {"cpu_mhz": 3000}},
    {"before": None, "after": None},
    {"own_system_seconds": 0.05},
    {"own_cpu_seconds": 0.02, "own_system_seconds": 0.02},  # a few ticks of the counters
]


@pytest.mark.parametrize("readings", QUIET)
def test_what_every_machine_does_is_not(readings):
    assert found(calm(), **readings) == {}


def test_a_row_without_watches_and_one_that_takes_no_time_are_no_error():
    rounds = Rounds([np.zeros(30), calm()], [(30,), (100,)])
    assert doubts(rounds, [[], []])["quality"].tolist() == ["", ""]
    assert doubts(Rounds([], []), [])["quality"].tolist() == []


def test_a_rows_doubts_do_not_depend_on_the_rows_beside_it():
    rows = [make() for make, _ in DISTURBED.values()] + [calm(), calm(count=37), np.zeros(20)]
    rows += [calm(seed, 0.1, 20 + seed) for seed in range(40)]
    together = doubted(*rows)
    for at, row in enumerate(rows):
        assert doubted(row)["quality"][0] == together["quality"][at]


NOISE = {
    "normal": lambda rng, n: 1 + 0.02 * rng.standard_normal(n),
    "log-normal, a long tail": lambda rng, n: rng.lognormal(0, 0.5, n),
    "a floor and an exponential tail": lambda rng, n: 1 + rng.exponential(0.3, n),
    "uniform": lambda rng, n: rng.uniform(1, 2, n),
    "a coarse clock": lambda rng, n: np.round(rng.lognormal(0, 0.1, n), 1) * 1e-6,
}


@pytest.mark.parametrize("rounds", [20, 100, 400])
@pytest.mark.parametrize("noise", NOISE)
def test_noise_of_one_mode_is_next_to_never_called_two(noise, rounds):
    rng = np.random.default_rng(3)
    alarms = sum(has_two_modes(np.sort(NOISE[noise](rng, rounds))) for _ in range(500))
    assert alarms <= 4  # 1 of 1000 is promised; 5 of 500 would happen once in 5000 tests


@pytest.mark.parametrize("apart", [1.1, 1.5])
def test_two_modes_that_lie_apart_are_next_to_always_found(apart):
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(100):
        data = rng.lognormal(0, 0.01, 100) * np.where(rng.random(100) < 0.4, apart, 1)
        found += has_two_modes(np.sort(data))
    assert found >= 99


# From the package diptest 0.12 (Hartigan's own algorithm), to all digits that it prints.
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([1.0, 1.1, 1.3, 1.6, 4.0, 4.1, 4.3, 4.6], 0.2),
        ([i**2 for i in range(1, 31)], 0.016666666666666666),
        ([*range(10), *range(30, 50)], 0.11666666666666667),
    ],
)
def test_the_dip_is_hartigans(data, expected):
    assert dip(np.asarray(data, float)) == pytest.approx(expected)


def one(row):
    return Ragged(np.asarray(row, float), np.array([len(row)]))


@given(st.lists(st.floats(1e-6, 1e3), min_size=modes.FEWEST, max_size=60, unique=True))
def test_the_quick_no_is_never_wrong(data):
    """What bounds the dip is no less than it."""
    ordered = np.sort(data)
    if has_two_modes(ordered):
        assert modes.may_dip(one(data))[0]


@pytest.mark.parametrize("enough", [0.01, 0.05, 0.2])
def test_a_dip_that_is_more_than_enough_is_whole(enough):
    rng = np.random.default_rng(6)
    for size in range(20, 120):
        data = np.sort(rng.lognormal(0, 0.1, size) * np.where(rng.random(size) < 0.4, 1.3, 1))
        whole, quick = dip(data), dip(data, enough)
        assert quick == whole or (whole <= enough and quick <= enough)


@pytest.mark.parametrize("rounds", [20, 50, 200])
def test_of_rows_with_a_floor_and_a_tail_few_are_looked_at_one_by_one(rounds):
    rng = np.random.default_rng(8)
    rows = 1 + rng.exponential(0.3, (200, rounds))
    assert modes.may_dip(Ragged(rows.ravel(), np.full(200, rounds))).mean() < 0.3


def test_calm_rows_are_next_to_never_called_drifting_or_slow_to_start():
    told = doubted(*(calm(seed, 0.05) for seed in range(500)))["quality"]
    kinds = ("drift", "slow start", "two modes")
    assert sum(any(kind in text for kind in kinds) for text in told) <= 3
