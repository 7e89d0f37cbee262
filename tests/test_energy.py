"""Joules: what counters say, and that nothing is said where there are none."""

import sys
import time
from types import SimpleNamespace

import pytest

from bench import bench_joules
from bench.measuring import energy, gpu_state
from bench.measuring.energy import Meter, meter, window
from bench.report.figures import plots
from tests import records_factory as factory
from zipnet import paper
from zipnet.results.collect import collect
from zipnet.results.schema import QUESTIONS

WATTS = 40.0


@pytest.fixture
def powercap(tmp_path, monkeypatch):
    """Two packages as Linux shows them, one about to wrap; what they hold, and what holds them."""
    zones = {"intel-rapl:0": "package-0", "intel-rapl:1": "package-1", "intel-rapl:0:0": "core",
             "intel-rapl:0:1": "dram", "intel-rapl:2": "psys"}  # fmt: skip
    for zone, name in zones.items():
        (tmp_path / zone).mkdir()
        said = {"name": name, "energy_uj": 1_000_000, "max_energy_range_uj": 10_000_000}
        for file, value in said.items():
            (tmp_path / zone / file).write_text(f"{value}\n")
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    return tmp_path


def test_packages_are_counted_without_what_is_in_them_and_across_their_wrap(powercap):
    found = meter("cpu")
    assert found.name == "RAPL"
    before = found.read()
    assert before == [1.0, 1.0]
    (powercap / "intel-rapl:0/energy_uj").write_text("3500000\n")
    (powercap / "intel-rapl:1/energy_uj").write_text("250000\n")  # went round
    (powercap / "intel-rapl:2/energy_uj").write_text("9000000\n")
    assert found.since(before) == pytest.approx(2.5 + 9.25)


def test_counters_that_cannot_be_read_are_none(powercap):
    (powercap / "intel-rapl:1/energy_uj").unlink()
    reason = meter("cpu")
    assert isinstance(reason, str)
    assert "RAPL" in reason
    assert "zeus-apple-silicon" in reason
    assert "no counter" in meter("xpu")


def test_an_nvidia_gpu_counts_millijoules(monkeypatch):
    taken = iter((5_000, 5_000, 8_500))
    nvml = SimpleNamespace(nvmlDeviceGetTotalEnergyConsumption=lambda gpu: next(taken))
    monkeypatch.setattr(gpu_state, "_open", lambda: (nvml, "gpu"))
    found = meter("cuda:0")
    assert found.name == "NVML"
    assert found.since(found.read()) == pytest.approx(3.5)


@pytest.mark.parametrize("opened", [None, (SimpleNamespace(), "one that does not count")])
def test_a_gpu_that_does_not_count_says_so(monkeypatch, opened):
    monkeypatch.setattr(gpu_state, "_open", lambda: opened)
    assert "NVML" in meter("cuda")
    assert isinstance(meter("cuda"), str)


def test_an_apple_chip_is_counted_whole_as_far_as_it_tells(monkeypatch):
    said = SimpleNamespace(cpu_total_mj=1000, gpu_mj=500, dram_mj=None, ane_mj=0)
    monitor = SimpleNamespace(get_cumulative_energy=lambda: said)
    library = SimpleNamespace(AppleEnergyMonitor=lambda: monitor)
    monkeypatch.setitem(sys.modules, "zeus_apple_silicon", library)
    for device in ("cpu", "mps"):
        assert meter(device).read() == [1.5]


def steady():
    """A device that takes so many watts whatever it does."""
    return Meter("steady", lambda: [WATTS * time.perf_counter()], [float("inf")])


def test_a_window_holds_whole_rounds_between_two_idle_ones():
    seen = window(steady(), lambda: time.sleep(0.02), busy=0.1, idle=0.02)
    assert 2 <= seen.rounds <= 6
    assert seen.seconds >= 0.1
    assert seen.joules == pytest.approx(WATTS * seen.seconds, rel=0.1)
    assert seen.watts == pytest.approx((WATTS, WATTS), rel=0.1)


def test_a_counter_that_began_anew_gives_no_number():
    """A driver that was loaded again meanwhile: what never wraps never falls."""
    assert Meter("fell", lambda: [1.0], [float("inf")]).since([2.0]) == float("inf")


def test_a_row_of_joules_is_read_checked_and_drawn(tmp_path):
    row = factory.learning("joules", 1.0, paper.PRESENTATIONS, 1, engine="fused", unit="J",
                           meter="RAPL", idle_watts=[12.0, 12.5])  # fmt: skip
    factory.write(tmp_path, factory.result(benchmarks=[row]), "joules.json")
    rows = collect([str(tmp_path)]).rows
    assert rows["sound"].all(), rows["invalid"].tolist()
    assert rows["per"].tolist() == ["round"]
    assert QUESTIONS["joules"].unit == rows["unit"][0] == "J"
    assert "J" in plots(rows)["joules"].alt
    assert "joules" not in plots(rows[rows["unit"] != "J"])


@pytest.mark.parametrize("joules", [0.0, 5e-324, 1e12])
def test_joules_that_no_counter_gives_are_refused(tmp_path, joules):
    row = factory.learning("joules", 1.0, paper.PRESENTATIONS, 1, engine="fused", unit="J",
                           meter="RAPL")  # fmt: skip
    row["stats"]["data"][2] = joules
    factory.write(tmp_path, factory.result(benchmarks=[row]), "joules.json")
    (line,) = collect([str(tmp_path)]).bad
    assert f"stats.data[2] is {joules}; expected 1e-10 to 1e+09" in line


def test_the_benchmark_asks_for_a_training_by_its_share(monkeypatch):
    """In a session's stead: what it hands over to be measured."""
    digits, asked = 50, {}
    engine = SimpleNamespace(
        run=lambda _: time.sleep(0.002), sync=lambda: None, recipe=SimpleNamespace(step_macs=7)
    )
    row = SimpleNamespace(idle_watts=[])
    session = SimpleNamespace(
        profile=SimpleNamespace(laps=3),
        workshop=SimpleNamespace(
            ready=lambda *_, **__: SimpleNamespace(engine=engine, verified=None, enter=None),
        ),
        queued=lambda _: SimpleNamespace(presentations=digits),
        row=lambda *_: row,
        measure=lambda work, *_, **more: (
            asked.update(more) or SimpleNamespace(rounds=[1], value=asked.update(value=work()))
        ),
    )
    monkeypatch.setattr(energy, "meter", lambda _: steady())
    brief = window
    monkeypatch.setattr(energy, "window", lambda *of: brief(*of, busy=0.05, idle=0.01))
    setting = SimpleNamespace(place=SimpleNamespace(device="cpu"))
    bench_joules.bench_joules(session, setting)
    assert row.presentations == row.steps == paper.PRESENTATIONS
    assert len(row.idle_watts) == 2
    each = 0.002 / digits  # seconds a digit, at the least
    assert asked["value"] >= WATTS * each * paper.PRESENTATIONS
    assert asked["most"] == 1
