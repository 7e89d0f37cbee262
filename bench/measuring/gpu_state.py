"""An NVIDIA GPU's clock, heat, energy and reasons to run slowly, from its management library.

Needs nvidia-ml-py, which is optional; without it, or without a GPU, there are no readings.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

from zipnet import devices
from zipnet.errors import answer

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
        "gpu_mhz": answer(lambda: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM)),
        "gpu_celsius": answer(
            lambda: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)
        ),
        "gpu_throttle": answer(lambda: _throttle(nvml, gpu)),
    }


def joules() -> float | None:
    """What the first GPU has taken since its driver was loaded; None without one.

    Raises NVML's error where the GPU does not count, which those before Volta do not.
    """
    opened = _open()
    if opened is None:
        return None
    nvml, gpu = opened
    return 1e-3 * float(nvml.nvmlDeviceGetTotalEnergyConsumption(gpu))


@functools.cache
def _open() -> tuple[Any, Any] | None:
    """The library and the GPU that torch calls cuda:0, which need not be the machine's first."""
    return answer(_opened) if devices.why_not("cuda") is None else None


def _opened() -> tuple[Any, Any]:
    import pynvml

    pynvml.nvmlInit()
    uuid = f"GPU-{torch.cuda.get_device_properties(0).uuid}"
    return pynvml, pynvml.nvmlDeviceGetHandleByUUID(uuid)


def _throttle(nvml: Any, gpu: Any) -> str:
    bits = nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu)
    return ", ".join(word for name, word in THROTTLES.items() if bits & int(getattr(nvml, name, 0)))
