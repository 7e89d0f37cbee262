"""Devices: reasons for a person, and which calls an accelerator sees, proven with fake ones."""

import warnings
from types import SimpleNamespace

import pytest
import torch

from bench.measuring import harness
from bench.measuring.profiles import Profile
from tests.test_harness import FakeBenchmark
from zipnet import __main__ as commands
from zipnet import cpu, devices, engines
from zipnet.errors import UserError
from zipnet.recipe import KARPATHY_1989
from zipnet.results.schema import Row


class FakeBackend:
    """A stand-in for torch.mps or torch.cuda that notes what is called, in order."""

    def __init__(self, **changed):
        self.calls = []
        answers = {
            "is_available": True,
            "device_count": 1,
            "synchronize": None,
            "empty_cache": None,
            "driver_allocated_memory": 4096,
            "memory_reserved": 8192,
            "get_device_name": "NVIDIA H200",
        } | changed
        for name, answer in answers.items():
            if answer is not Missing:
                setattr(self, name, self._noting(name, answer))

    def _noting(self, name, answer):
        def call(*arguments):
            self.calls.append(name)
            if isinstance(answer, Exception):
                raise answer
            return answer() if callable(answer) else answer

        return call


class Missing:
    """For a call that this version of torch does not have."""


@pytest.fixture
def working(monkeypatch):
    """Devices that answer do compute, too: torch itself has no such device in this test."""
    monkeypatch.setattr(devices, "_try", devices.describe)


@pytest.fixture
def fake_mps(monkeypatch, working):
    fake = FakeBackend()
    monkeypatch.setattr(torch, "mps", fake)
    return fake.calls


def test_the_cpu_is_always_here_and_first():
    assert devices.here()[0] == "cpu"
    assert devices.why_not("cpu") is None


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ("tpu", "is not known; choose one of: cpu, cuda, mps, xpu"),
        ("", "is not known"),
        ("cpu:0", "the CPU has no index"),
        ("mps:7", "this machine has 1 of mps"),
        ("mps:x", "this machine has 1 of mps"),
        ("mps:-1", "this machine has 1 of mps"),
    ],
)
def test_why_not_gives_the_reason(device, reason, fake_mps):
    assert reason in devices.why_not(device)
    with pytest.raises(UserError, match="devices here: cpu"):
        devices.require(device)


def test_an_accelerator_that_is_there_is_found(fake_mps):
    assert "mps" in devices.here()
    assert devices.why_not("mps:0") is None


def test_waiting_for_mps_is_one_synchronize_and_never_an_event(fake_mps):
    devices.synchronize(torch.device("mps"))
    assert fake_mps == ["synchronize"]


def test_waiting_for_the_cpu_asks_nobody(fake_mps):
    devices.synchronize(torch.device("cpu"))
    assert fake_mps == []


@pytest.mark.parametrize("name", ["eager", "compiled"])
def test_mps_is_waited_for_once_a_timed_round_and_never_inside_a_run(
    name, fake_mps, monkeypatch, start, few
):
    """The engine's tensors are the CPU's; its waiting is told that they are of mps."""
    wait = devices.synchronize
    monkeypatch.setattr(devices, "synchronize", lambda device: wait(torch.device("mps")))
    monkeypatch.setattr(torch, "compile", lambda step, **options: step)  # who waits stays the same
    engine = engines.make(name, KARPATHY_1989, "cpu", threads=1)
    engine.load(start)
    placed = engine.place(*few, batch=3)
    engine.prepare(placed)
    fake_mps.clear()

    def run():
        fake_mps.append("run begins")
        engine.run(placed)
        fake_mps.append("run returns")
        engine.sync()

    row = Row(question="sgd-synced", device="mps")
    timed = harness.Timed(FakeBenchmark(), row, run, enter=lambda: engine.load(start))
    timed.plan(Profile("five rounds", 0.0, 10.0, 10.0, 5, 5, 0.0, 2, 1.0))
    timed.lap(0)
    timed.lap(1)
    rounds, rest = divmod(len(fake_mps), 3)
    assert rounds >= 5
    assert not rest
    assert fake_mps == ["run begins", "run returns", "synchronize"] * rounds


def test_devices_have_names():
    assert devices.describe(torch.device("cpu")) == cpu.model() != ""
    assert devices.describe(torch.device("mps")).endswith(" GPU")


# --- machines in trouble ------------------------------------------------------------------------

OLD_DRIVER = UserWarning(
    "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040).\n"
    "Please update your GPU driver."
)
BUSY = RuntimeError(
    "CUDA error: all CUDA-capable devices are busy or unavailable\n"
    "CUDA kernel errors might be asynchronously reported at some other API call."
)


def old_driver():
    warnings.warn(OLD_DRIVER, stacklevel=2)
    return False


TROUBLES = {
    "an old driver, warned of": (FakeBackend(is_available=old_driver), "driver on your system"),
    "an old driver, raised": (
        FakeBackend(is_available=RuntimeError("Unexpected error from cudaGetDeviceCount()")),
        "cannot be used: Unexpected error from cudaGetDeviceCount()",
    ),
    "a GPU that another process keeps": (FakeBackend(get_device_name=BUSY), "busy or unavailable"),
    "a torch without CUDA": (
        FakeBackend(get_device_name=AssertionError("Torch not compiled with CUDA enabled")),
        "not compiled with CUDA",
    ),
    "an error without words": (FakeBackend(is_available=RuntimeError()), "RuntimeError"),
    "no call that tells": (FakeBackend(get_device_name=Missing), "get_device_name"),
}


@pytest.fixture(params=TROUBLES.values(), ids=TROUBLES.keys())
def trouble(request, monkeypatch, working):
    backend, words = request.param
    monkeypatch.setattr(torch, "cuda", backend)
    return words


def test_a_gpu_in_trouble_is_a_reason_in_one_line_and_no_warning(trouble, recwarn):
    reason = devices.why_not("cuda")
    assert trouble in reason
    assert "\n" not in reason
    assert "asynchronously" not in reason
    assert "cuda" not in devices.here()
    assert not recwarn


def test_engines_are_listed_with_exit_code_0_on_a_machine_in_trouble(trouble, capsys):
    assert commands.main(["engines", "eager", "tuned", "graphed", "fused"]) == 0
    out, err = capsys.readouterr()
    lines = [line for line in out.splitlines() if line.split()[1] == "cuda"]
    assert len(lines) == 4
    assert sum(trouble in line for line in lines) >= 3  # torch's engines
    assert not any("ready" in line for line in lines if line.startswith("eager"))
    assert err == ""


def test_a_gpu_whose_memory_others_fill_is_found_out_by_trying(monkeypatch):
    def full(*shape, device):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.")

    monkeypatch.setattr(torch, "cuda", FakeBackend())
    monkeypatch.setattr(torch, "ones", full)
    assert "cannot be used: CUDA out of memory" in devices.why_not("cuda:0")


def test_trying_adds_on_the_device_and_waits():
    devices._try(torch.device("cpu"))


def test_a_torch_whose_mps_leaves_its_availability_to_the_backend_is_asked_there(
    monkeypatch, working
):
    monkeypatch.setattr(torch, "mps", FakeBackend(is_available=Missing, device_count=Missing))
    monkeypatch.setattr(torch.backends, "mps", SimpleNamespace(is_available=lambda: True))
    assert devices.why_not("mps") is None
    assert devices.count("mps") == 1
    monkeypatch.setattr(torch.backends, "mps", SimpleNamespace(is_available=lambda: False))
    assert "no mps device" in devices.why_not("mps")


def test_a_torch_that_knows_nothing_of_the_device_has_none(monkeypatch):
    monkeypatch.delattr(torch, "xpu")
    assert "no xpu device" in devices.why_not("xpu")


# --- memory -------------------------------------------------------------------------------------


def test_held_memory_is_what_the_device_says_or_none(monkeypatch):
    monkeypatch.setattr(torch, "mps", FakeBackend())
    monkeypatch.setattr(torch, "cuda", FakeBackend(memory_reserved=Missing))
    assert devices.held_memory("mps") == 4096
    assert devices.held_memory("cuda") is None
    assert devices.held_memory("cpu") is None
    monkeypatch.setattr(torch, "mps", FakeBackend(driver_allocated_memory=Missing))
    assert devices.held_memory("mps") is None
    monkeypatch.setattr(torch, "mps", FakeBackend(is_available=False))
    assert devices.held_memory("mps") is None


def test_memory_is_released_where_there_is_a_device_and_a_call_for_it(monkeypatch):
    fakes = {
        "cuda": FakeBackend(empty_cache=RuntimeError("CUDA error: unspecified launch failure")),
        "mps": FakeBackend(),
        "xpu": FakeBackend(empty_cache=Missing),
    }
    for kind, fake in fakes.items():
        monkeypatch.setattr(torch, kind, fake)
    devices.release_memory()
    assert fakes["cuda"].calls == fakes["mps"].calls == ["is_available", "empty_cache"]
    assert fakes["xpu"].calls == []
    monkeypatch.setattr(torch, "mps", absent := FakeBackend(is_available=False))
    devices.release_memory()
    assert absent.calls == ["is_available"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("No module named 'jax'", name="jax"), "jax is not installed"),
        (ImportError("libmlx.so: cannot open shared object file"), "does not load: libmlx.so"),
        (OSError("libcudart.so.12: cannot open"), "does not load: libcudart.so.12"),
        (RuntimeError("This version of jaxlib was built using AVX"), "does not load: This version"),
    ],
    ids=["missing", "ImportError", "OSError", "RuntimeError"],
)
def test_a_library_that_is_missing_or_broken_is_a_reason(error, reason, monkeypatch):
    def broken(name):
        raise error

    monkeypatch.setattr(engines, "kind", broken)
    assert reason in engines.why_not("xla", KARPATHY_1989, "cpu")
