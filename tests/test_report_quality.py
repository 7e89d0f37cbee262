"""Each doubt is raised by what it is about, with its figure, and by next to nothing else."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kruskal

from bench.report.files import reading
from bench.report.rows.measures import measures
from bench.report.rows.quality import doubts
from bench.report.statistics import modes
from bench.report.statistics.dip import dip, dip_of_falling, has_two_modes
from bench.report.statistics.ranks import kruskal_wallis
from bench.report.statistics.timings import Timings
from tests import records_factory as factory

LAPS, EACH = 5, 20


def row_of(tmp_path, data, laps=None, **readings):
    row = factory.row("floor-launch", 1.0, device="cpu")
    factory.retimed(row, [float(value) for value in data])
    laps = laps or factory.laps_of(len(data), LAPS)
    watches = [factory.watch(**readings) for _ in laps]
    row["extra_info"] |= {"laps": laps, "watch": watches}
    return reading.read(factory.write(tmp_path, factory.result(benchmarks=[row]))).rows[0]


def kinds(row):
    return [doubt.kind for doubt in doubts(row)]


def calm(seed=0, noise=0.01, count=LAPS * EACH):
    return np.random.default_rng(seed).lognormal(0.0, noise, count)


def test_a_calm_row_is_in_no_doubt(tmp_path):
    assert kinds(row_of(tmp_path, calm())) == []


def slow_openings(data):
    for lap in range(LAPS):
        data[lap * EACH : lap * EACH + 2] *= 1.5
    return data


DISTURBED = {
    "few rounds": (lambda: calm(count=5), "5 rounds, and 6 make an interval"),
    "spread": (lambda: calm(noise=0.2), "% of the median"),
    "drift": (lambda: calm() * np.repeat([1, 1.05, 1.1, 1.15, 1.2], EACH), "apart and rose"),
    "slow start": (lambda: slow_openings(calm()), "the first rounds took "),
    "two modes": (
        lambda: calm() * np.where(np.random.default_rng(5).random(LAPS * EACH) < 0.3, 1.3, 1),
        "of the rounds took 3",
    ),
}


@pytest.mark.parametrize("kind", DISTURBED)
def test_timings_that_are_not_calm_are_doubted_for_what_they_are(tmp_path, kind):
    make, says = DISTURBED[kind]
    found = {doubt.kind: doubt for doubt in doubts(row_of(tmp_path, make()))}
    assert says in found[kind].text
    assert found[kind].remedy.endswith(".")
    assert found[kind].forbids == (kind == "few rounds")
    assert set(found) <= {kind, "spread"}


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
    "throttled GPU": ({"after": {"gpu_throttle": "sw power cap"}}, "slowed: sw power cap"),
}


@pytest.mark.parametrize("kind", READINGS)
def test_what_the_machine_was_seen_doing_is_doubted(tmp_path, kind):
    readings, says = READINGS[kind]
    (doubt,) = doubts(row_of(tmp_path, calm(), **readings))
    assert doubt.kind == kind.split()[0]
    assert says in doubt.text
    assert doubt.forbids == (kind in ("busy", "stolen"))


QUIET = [
    {"other_cpu_seconds": 0.1},
    {"other_cpu_seconds": None, "stolen_cpu_seconds": None},
    {"seconds": 0.1, "other_cpu_seconds": 0.05},  # a few ticks of the counters
    {"seconds": 0.0, "other_cpu_seconds": 0.0},
    {"after": {"gpu_throttle": "none", "cpu_mhz": 2599}},
    {"after": {"gpu_throttle": "", "speed_limit": 100}},
    {"before": {"cpu_mhz": 1200}, "after": {"cpu_mhz": 3000}},
]


@pytest.mark.parametrize("readings", QUIET)
def test_what_every_machine_does_is_not(tmp_path, readings):
    assert kinds(row_of(tmp_path, calm(), **readings)) == []


def test_a_row_without_watches_and_one_that_takes_no_time_are_no_error(tmp_path):
    row = factory.retimed(factory.row("floor-empty", 1.0), [0.0] * 30)
    content = factory.unwatched(factory.result(benchmarks=[row]))
    assert kinds(reading.read(factory.write(tmp_path, content)).rows[0]) == []


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
    alarms = sum(has_two_modes(sorted(NOISE[noise](rng, rounds))) for _ in range(500))
    assert alarms <= 4  # 1 of 1000 is promised; 5 of 500 would happen once in 5000 tests


@pytest.mark.parametrize("apart", [1.1, 1.5])
def test_two_modes_that_lie_apart_are_next_to_always_found(apart):
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(100):
        data = rng.lognormal(0, 0.01, 100) * np.where(rng.random(100) < 0.4, apart, 1)
        found += has_two_modes(sorted(data))
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


@given(st.lists(st.floats(1e-6, 1e3), min_size=4, max_size=60, unique=True))
def test_the_quick_no_is_never_wrong(data):
    """One hull bounds the dip from above, and no cut has groups farther apart than was allowed."""
    ordered = np.sort(data)
    assert dip(ordered) <= dip_of_falling(ordered) * (1 + 1e-9)
    slower = modes.split(ordered.tolist())
    if slower.apart > modes.APART and modes.SHARE <= slower.share <= 1 - modes.SHARE:
        assert modes.may_be_two(ordered.tolist())


def test_the_test_of_ranks_is_scipys():
    rng = random.Random(5)
    groups = [np.asarray([rng.randrange(20) for _ in range(size)], float) for size in (9, 17, 30)]
    assert kruskal_wallis(groups) == pytest.approx(kruskal(*groups).pvalue)
    assert kruskal_wallis([np.ones(5), np.ones(7)]) == 1.0


def test_calm_rows_are_next_to_never_called_drifting_or_slow_to_start(tmp_path):
    row = row_of(tmp_path, calm())
    alarms = 0
    for seed in range(500):
        found = kinds(row._replace(timings=Timings(calm(seed, 0.05).tolist(), row.laps)))
        alarms += bool({"drift", "slow start", "two modes"} & set(found))
    assert alarms <= 3


def test_a_measure_carries_what_pages_and_comparisons_need(tmp_path):
    content = factory.result(benchmarks=[factory.retimed(factory.row("floor-launch", 1.0), [1.0])])
    (measure,) = measures(reading.read(factory.write(tmp_path, content)))
    assert (measure.rounds, measure.lap_medians) == (1, ())
    assert measure.forbidden == "1 round, and 6 make an interval"
    assert not measure.disturbed
