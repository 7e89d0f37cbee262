"""Which devices are here, what they are called, how to wait for them, and what memory they hold.

Torch's modules for accelerators differ in what they offer, and older ones offer less; whatever is
asked of them is asked here, so that a machine without a call gets an answer all the same.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import suppress
from typing import Any, Final

import torch

from zipnet import cpu
from zipnet.errors import UserError, one_line, shown

KINDS: Final = ("cpu", "cuda", "mps", "xpu")
_ONE_AT_A_TIME = threading.Lock()  # Python's record of warnings is the whole process's


def here() -> list[str]:
    """The devices of this machine, the CPU first."""
    return [kind for kind in KINDS if why_not(kind) is None]


def misnamed(device: str) -> str | None:
    """None for the name of a device, here or not: a kind, of an accelerator with :index or not."""
    kind, colon, index = device.partition(":")
    if kind not in KINDS or (colon and not index):
        return f"device {shown(device)} is not known; choose one of: {', '.join(KINDS)}"
    if kind == "cpu" and index:
        return f"device {shown(device)}: the CPU has no index; write 'cpu'"
    return None


def why_not(device: str) -> str | None:
    """None where the device can be used, otherwise the reason, for a person.

    An accelerator is tried with one addition: torch finds one whose driver is too old, which
    another process keeps for itself, or whose memory is full, and fails when it is first used.
    """
    if (reason := misnamed(device)) or device == "cpu":
        return reason
    kind, _, index = device.partition(":")
    with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            if not _available(kind):
                reason = f"no {kind} device on this machine, or this torch is built without {kind}"
                return _because(reason, said[-1].message) if said else reason
            if index and not (index.isdecimal() and int(index) < count(kind)):
                return f"device {shown(device)}: this machine has {count(kind)} of {kind}"
            _try(torch.device(device))
        # AssertionError is torch's own, where it is built without the device.
        except (RuntimeError, AssertionError, AttributeError) as error:
            return _because(f"this machine's {device} cannot be used", error)
    return None


def _because(reason: str, found: object) -> str:
    """The reason with the first line of what torch said; more lines are advice on debugging."""
    first = str(found).strip().partition("\n")[0] or type(found).__name__
    return f"{reason}: {one_line(first, 200)}"


def _available(kind: str) -> bool:
    """Whether torch reports the device; torch.mps of some versions leaves that to its backend."""
    for home in (torch, torch.backends):
        asked = getattr(getattr(home, kind, None), "is_available", None)
        if asked is not None:
            return bool(asked())
    return False


def _try(device: torch.device) -> None:
    """Ask for the name and for one addition; raises torch's error where either fails."""
    describe(device)
    torch.ones(1, device=device).add_(1.0).item()


def count(kind: str) -> int:
    """How many devices of an accelerator's kind are here; one where torch does not count them."""
    counted = getattr(getattr(torch, kind), "device_count", None)
    return 1 if counted is None else int(counted())


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
    """The device's model name, such as 'NVIDIA H200' or 'Apple M4'; its kind where it has none."""
    if device.type in ("cuda", "xpu"):
        name = str(getattr(torch, device.type).get_device_name(device))
    else:
        name = cpu.model() + (" GPU" if device.type == "mps" else "")
    return name.strip() or device.type


def held_memory(kind: str) -> int | None:
    """Bytes of an accelerator's memory that torch holds for this process; None if it cannot say."""
    backend: Any = getattr(torch, kind, None)
    asked = "driver_allocated_memory" if kind == "mps" else "memory_reserved"
    call = getattr(backend, asked, None)
    if kind == "cpu" or call is None or not _available(kind):
        return None
    return int(call())


def release_memory() -> None:
    """Give back what torch keeps of accelerators' memory for later and does not use now."""
    for kind in KINDS[1:]:
        empty = getattr(getattr(torch, kind, None), "empty_cache", None)
        if empty is not None and _available(kind):
            with suppress(RuntimeError):  # a device in trouble has nothing to give back
                empty()
