"""Devices: reasons for a person, and which calls an accelerator sees, proven with a fake one."""

from types import SimpleNamespace

import pytest
import torch

from zipnet import cpu, devices
from zipnet.errors import UserError


@pytest.fixture
def fake_mps(monkeypatch):
    """A stand-in for torch.mps that notes what is called, in order."""
    calls = []
    module = SimpleNamespace(
        is_available=lambda: True,
        device_count=lambda: 1,
        synchronize=lambda: calls.append("synchronize"),
        driver_allocated_memory=lambda: calls.append("memory") or 4096,
    )
    monkeypatch.setattr(torch, "mps", module)
    return calls


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


def test_devices_have_names():
    assert devices.describe(torch.device("cpu")) == cpu.model() != ""
    assert devices.describe(torch.device("mps")).endswith(" GPU")
