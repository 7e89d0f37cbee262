"""Clock, heat and reasons to run slowly of an NVIDIA GPU, read through its management library.

Needs nvidia-ml-py, which is optional; without it, or without a GPU, there are no readings.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from zipnet import devices

# What lets a GPU run below its clock, by the names that NVML gives the bits. Idling and clocks
# that somebody set are no throttling; the first is always on where nothing runs.
THROTTLES = {
    "nvmlClocksThrottleReasonSwPowerCap": "power cap",
    "nvmlClocksThrottleReasonHwSlowdown": "hardware slowdown",
    "nvmlClocksThrottleReasonSwThermalSlowdown": "heat",
    "nvmlClocksThrottleReasonHwThermalSlowdown": "heat (hardware)",
    "nvmlClocksThrottleReasonHwPowerBrakeSlowdown": "power brake",
}


def readings() -> dict[str, Any]:
    """MHz, degrees Celsius and reasons for throttling of the first GPU; empty without one.

    A reading that this GPU does not offer is None. gpu_throttle is '' where nothing holds it back.
    """
    opened = _open()
    if opened is None:
        return {}
    nvml, gpu = opened
    return {
        "gpu_mhz": _asked(nvml, lambda: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM)),
        "gpu_celsius": _asked(
            nvml, lambda: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)
        ),
        "gpu_throttle": _asked(nvml, lambda: _throttle(nvml, gpu)),
    }


@functools.cache
def _open() -> tuple[Any, Any] | None:
    """The library and the GPU that torch calls cuda:0, which need not be the machine's first."""
    if devices.why_not("cuda") is not None:
        return None
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        uuid = f"GPU-{torch.cuda.get_device_properties(0).uuid}"
        return pynvml, pynvml.nvmlDeviceGetHandleByUUID(uuid)
    except (pynvml.NVMLError, AttributeError, RuntimeError):
        return None


def _asked(nvml: Any, question: Callable[[], object]) -> object:
    try:
        return question()
    except nvml.NVMLError:  # not supported by this GPU, or not allowed in this container
        return None


def _throttle(nvml: Any, gpu: Any) -> str:
    bits = nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu)
    return ", ".join(word for name, word in THROTTLES.items() if bits & int(getattr(nvml, name, 0)))
