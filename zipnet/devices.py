"""Which devices are here, what they are called, and how to wait for them."""

from __future__ import annotations

from typing import Final

import torch

from zipnet import cpu
from zipnet.errors import UserError, shown

KINDS: Final = ("cpu", "cuda", "mps", "xpu")


def here() -> list[str]:
    """The devices of this machine, the CPU first."""
    return [kind for kind in KINDS if why_not(kind) is None]


def why_not(device: str) -> str | None:
    """None where the device can be used, otherwise the reason, for a person."""
    kind, colon, index = device.partition(":")
    if kind not in KINDS or (colon and not index):
        return f"device {shown(device)} is not known; choose one of: {', '.join(KINDS)}"
    if kind == "cpu":
        return None if not index else f"device {shown(device)}: the CPU has no index; write 'cpu'"
    backend = getattr(torch, kind, None)
    if backend is None or not backend.is_available():
        return f"no {kind} device on this machine, or this torch is built without {kind}"
    if index and not (index.isdecimal() and int(index) < backend.device_count()):
        return f"device {shown(device)}: this machine has {backend.device_count()} of {kind}"
    return None


def require(device: str) -> None:
    """Raise a UserError with the reason where the device cannot be used."""
    reason = why_not(device)
    if reason is not None:
        raise UserError(f"{reason}; devices here: {', '.join(here())}")


def synchronize(device: torch.device) -> None:
    """Return when everything asked of the device has finished; the CPU never lags behind."""
    if device.type == "cpu":
        return
    # torch.mps.Event cannot be trusted for timing (pytorch#196395), so waiting is all we use.
    getattr(torch, device.type).synchronize()


def describe(device: torch.device) -> str:
    """The device's model name, such as 'NVIDIA H200' or 'Apple M4'."""
    if device.type in ("cuda", "xpu"):
        return str(getattr(torch, device.type).get_device_name(device))
    return cpu.model() + (" GPU" if device.type == "mps" else "")
