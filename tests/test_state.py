"""State: readings where the system tells, never requirements; and what a watched lap saw."""

import mmap
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from bench.measuring import gpu_state, state, watch
from bench.measuring.watch import Spent, Watching
from zipnet.results.schema import State, Watch


def test_state_says_what_the_system_tells():
    assert state.state().memory_available > 0


def test_state_survives_a_system_that_tells_nothing(monkeypatch):
    monkeypatch.setattr(state.psutil, "cpu_freq", lambda: None)
    monkeypatch.setattr(state.psutil, "sensors_battery", lambda: None, raising=False)
    assert state.state().cpu_mhz is None
    assert state.state().power is None


@pytest.mark.parametrize(
    "error",
    [SystemError, RuntimeError, FileNotFoundError, AttributeError, ValueError, psutil.Error],
)
def test_state_survives_a_system_that_raises(monkeypatch, error):
    def raises():
        raise error("cpu_freq returned a result with an exception set")

    for question in ("cpu_freq", "sensors_battery", "getloadavg", "virtual_memory"):
        monkeypatch.setattr(state.psutil, question, raises, raising=False)
    readings = state.state()
    asked = ("cpu_mhz", "power", "load_1min", "memory_available")
    assert [getattr(readings, key) for key in asked] == [None] * 4


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1])
def test_a_number_that_no_file_may_hold_is_not_told(monkeypatch, number):
    monkeypatch.setattr(state.psutil, "getloadavg", lambda: (number, 0, 0))
    memory = SimpleNamespace(available=number)
    monkeypatch.setattr(state.psutil, "virtual_memory", lambda: memory)
    readings = state.state()
    assert (readings.load_1min, readings.memory_available) == (None, None)


@pytest.mark.parametrize(("plugged", "power"), [(True, "mains"), (False, "battery"), (None, None)])
def test_power_source_is_told(monkeypatch, plugged, power):
    battery = SimpleNamespace(power_plugged=plugged)
    monkeypatch.setattr(state.psutil, "sensors_battery", lambda: battery, raising=False)
    assert state.state().power == power


def throttle_count(sys_folder, core, text):
    path = sys_folder / f"devices/system/cpu/cpu{core}/thermal_throttle/core_throttle_count"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_linux_counts_of_throttling_are_summed_over_cores(tmp_path, monkeypatch):
    throttle_count(tmp_path, 0, "3\n")
    throttle_count(tmp_path, 1, "4\n")
    monkeypatch.setattr(state, "SYS", tmp_path)
    assert state.state().throttled == 7


@pytest.mark.parametrize("text", ["", "many"])
def test_counts_that_are_none_are_not_told(tmp_path, monkeypatch, text):
    throttle_count(tmp_path, 0, text)
    monkeypatch.setattr(state, "SYS", tmp_path)
    assert state.state().throttled is None


@pytest.mark.parametrize(
    ("said", "percent"),
    [("CPU_Scheduler_Limit \t= 100\n\tCPU_Speed_Limit \t= 62\n", 62), ("Note: nothing\n", None)],
)
def test_macos_thermal_pressure_is_the_speed_it_grants(monkeypatch, said, percent):
    asked = []

    def run(command, **_):
        asked.append(command)
        return SimpleNamespace(stdout=said)

    monkeypatch.setattr(state.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(state.subprocess, "run", run)
    assert state.state().speed_limit == percent
    assert asked == [state.PMSET]


def test_macos_that_will_not_say_is_no_error(monkeypatch):
    def run(command, **_):
        raise subprocess.TimeoutExpired(command, 5)

    monkeypatch.setattr(state.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(state.subprocess, "run", run)
    assert state.state().speed_limit is None


class FakeNvml:
    """nvidia-ml-py for one GPU that is held back by heat and does not tell its temperature."""

    class NVMLError(Exception):
        """As the library's."""

    NVML_CLOCK_SM, NVML_TEMPERATURE_GPU = 1, 0
    nvmlClocksThrottleReasonSwPowerCap = 4
    nvmlClocksThrottleReasonSwThermalSlowdown = 32

    def __init__(self):
        self.asked = []

    def nvmlInit(self):
        self.asked.append("init")

    def nvmlDeviceGetHandleByUUID(self, uuid):
        self.asked.append(uuid)
        return "gpu"

    def nvmlDeviceGetClockInfo(self, gpu, clock):
        return 1980

    def nvmlDeviceGetTemperature(self, gpu, sensor):
        raise self.NVMLError("not supported")

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, gpu):
        return 1 | 32  # idle, and heat


@pytest.fixture
def cuda(monkeypatch):
    monkeypatch.setattr("zipnet.devices.why_not", lambda device: None)
    monkeypatch.setattr(
        "torch.cuda.get_device_properties", lambda index: SimpleNamespace(uuid="1234-ab")
    )
    gpu_state._open.cache_clear()
    yield monkeypatch
    gpu_state._open.cache_clear()


def test_a_gpu_says_its_clock_and_why_it_is_slow_and_never_crashes(cuda):
    nvml = FakeNvml()
    cuda.setitem(sys.modules, "pynvml", nvml)
    assert gpu_state.readings() == {"gpu_mhz": 1980, "gpu_celsius": None, "gpu_throttle": "heat"}
    assert nvml.asked == ["init", "GPU-1234-ab"]


def test_without_the_library_or_the_gpu_there_are_no_readings(cuda):
    cuda.setitem(sys.modules, "pynvml", None)
    assert gpu_state.readings() == {}


def test_a_driver_that_refuses_is_no_error(cuda):
    nvml = FakeNvml()
    nvml.nvmlDeviceGetHandleByUUID = lambda uuid: (_ for _ in ()).throw(nvml.NVMLError("denied"))
    cuda.setitem(sys.modules, "pynvml", nvml)
    assert gpu_state.readings() == {}


def test_a_watch_tells_our_work_from_that_of_others(monkeypatch):
    moments = iter([Spent(10.0, 5.0, 0.5, 100.0, 1.0), Spent(12.0, 6.5, 0.75, 103.5, 1.25)])
    monkeypatch.setattr(watch.Spent, "now", classmethod(lambda cls: next(moments)))
    monkeypatch.setattr(watch, "state", State)
    seen = Watching(before=State(cpu_mhz=1), began=Spent.now()).ended()
    assert seen == Watch(
        seconds=2.0,
        own_cpu_seconds=1.5,
        own_system_seconds=0.25,
        other_cpu_seconds=2.0,
        stolen_cpu_seconds=0.25,
        before=State(cpu_mhz=1),
        after=State(),
    )


@pytest.mark.parametrize("error", [PermissionError, FileNotFoundError, psutil.AccessDenied])
def test_a_watch_says_null_where_the_system_keeps_its_counters(monkeypatch, error):
    def forbidden():
        raise error

    monkeypatch.setattr(watch.psutil, "cpu_times", forbidden)
    seen = Watching().ended()
    assert (seen.other_cpu_seconds, seen.stolen_cpu_seconds) == (None, None)
    assert seen.own_cpu_seconds >= 0
    assert seen.seconds > 0


def test_page_faults_are_own_time_in_the_kernel():
    watching = Watching()
    until = time.process_time() + 0.5
    while time.process_time() < until:
        with mmap.mmap(-1, 2**24) as memory:  # each page of it is asked for by touching it
            for page in range(0, len(memory), mmap.PAGESIZE):
                memory[page] = 1
    faulting, watching = watching.ended(), Watching()
    until = time.process_time() + 0.5
    while time.process_time() < until:
        pass
    reckoning = watching.ended()
    assert 0.05 < faulting.own_system_seconds <= faulting.own_cpu_seconds
    assert reckoning.own_system_seconds < faulting.own_system_seconds


def test_another_process_that_eats_a_core_is_seen():
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.3)
        quiet = Watching()
        time.sleep(1.0)
        seen = quiet.ended()
    finally:
        loop.kill()
        loop.wait()
    assert seen.own_cpu_seconds < 0.3
    assert seen.other_cpu_seconds > 0.3  # of one core, on a machine that may be busy
