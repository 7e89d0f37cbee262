"""What a benchmark is run on: an engine on a device with a number of CPU threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from zipnet import cpu, devices, engines
from zipnet.errors import UserError, choice, whole
from zipnet.recipe import Recipe
from zipnet.results.schema import Absent

SLOW_TO_COMPILE: Final = ("compiled",)  # engines
BESIDE_EAGER: Final = ("tuned",)  # engines of torch's operations, asked for one by one
WITHOUT_CACHES: Final = ("eager", "xla")  # engines that compile nothing, or keep nothing of it
ASIDE: Final = {("mlx", "cpu"): "mlx is made for Apple's GPU"}  # left out unless asked for, and why
Benchmark = TypeVar("Benchmark", bound=Callable[..., object])


@dataclass(frozen=True)
class DevicePlace:
    """A device, and on the CPU how many threads; None elsewhere."""

    device: str
    threads: int | None

    def __str__(self) -> str:
        return self.device if self.threads is None else f"{self.device}-threads={self.threads}"


@dataclass(frozen=True)
class Setting:
    """An engine in its place."""

    engine: str
    place: DevicePlace

    def __str__(self) -> str:
        return f"{self.engine}-{self.place}"


def only(
    serves: Callable[[Any], bool], otherwise: str | None = None
) -> Callable[[Benchmark], Benchmark]:
    """Mark a benchmark that makes sense in some settings or places only; the others have no row.

    otherwise: the reason, told in the result file's `absent`; None where nobody would miss the row.
    """

    def mark(function: Benchmark) -> Benchmark:
        function.serves = serves  # type: ignore[attr-defined]
        function.otherwise = otherwise  # type: ignore[attr-defined]
        return function

    return mark


def patiently(
    patient: Callable[[Setting], bool], otherwise: str
) -> Callable[[Benchmark], Benchmark]:
    """Mark a benchmark that only a full profile waits for in some settings: it takes so long there,
    or says so little. Marks add up.

    otherwise: the reason in the other profiles, told in the result file's `absent`.
    """

    def mark(function: Benchmark) -> Benchmark:
        earlier = getattr(function, "patient", ())
        function.patient = ((patient, otherwise), *earlier)  # type: ignore[attr-defined]
        return function

    return mark


def slow_to_compile(setting: Setting) -> bool:
    """torch.compile takes some ten seconds for each shape that it meets."""
    return setting.engine in SLOW_TO_COMPILE


def goes_by_eager(setting: Setting) -> bool:
    """What torch takes to start, and where its steps bend, eager shows for these as well."""
    return setting.engine in BESIDE_EAGER


def keeps_nothing(setting: Setting) -> bool:
    """Every start is a cold one."""
    return setting.engine in WITHOUT_CACHES


def with_few_threads(setting: Setting) -> bool:
    """Less than all, of an engine on torch: what more add to a large batch is fused's to show."""
    on_torch = ("eager", *BESIDE_EAGER, *SLOW_TO_COMPILE)
    return setting.engine in on_torch and not once_a_device(setting)


def once_a_device(setting: Setting) -> bool:
    """For what does not depend on the number of threads: measured with all of them."""
    return setting.place.threads in (None, cpu.cores())


def without_idle_threads(setting: Setting, batch: int = 1) -> bool:
    """For steps on few digits: more threads for an engine that uses one would say nothing."""
    on_one = batch <= engines.kind(setting.engine).serial_digits
    return setting.place.threads in (None, 1) or not on_one


def with_a_prediction_path(setting: Setting) -> bool:
    """For inference: an engine that borrows predict() would be another engine under its name."""
    return engines.kind(setting.engine).predicts_its_own_way


def why_left_out(function: object, setting: Setting, *, full: bool, named: bool) -> str | None:
    """Why a benchmark has no row in a setting; None where it has; '' where nobody would ask.

    full: whether the session is of the full profile. named: whether engines were asked for by name.
    """
    if not getattr(function, "serves", lambda _: True)(setting):
        return getattr(function, "otherwise", None) or ""
    if full:
        return None
    for patient, otherwise in getattr(function, "patient", ()):
        if patient(setting):
            return f"{otherwise}; --profile full measures it"
    aside = ASIDE.get((setting.engine, setting.place.device))
    if aside and not named:
        return f"{aside}; --profile full and --engines {setting.engine} measure it here"
    return None


def places(wanted: Sequence[str], threads: Sequence[int]) -> list[DevicePlace]:
    """Every wanted device that is here; the CPU once with each number of threads."""
    found = []
    for device in wanted:
        if device == "cpu":
            found += [DevicePlace("cpu", n) for n in threads]
        elif devices.why_not(device) is None:
            found.append(DevicePlace(device, None))
    return found


def settings(
    recipe: Recipe, wanted_engines: Sequence[str], where: Iterable[DevicePlace]
) -> list[Setting]:
    """Every wanted engine in every place where it can run.

    An engine that always takes every core is measured only where it has them.
    """
    return [
        Setting(engine, place)
        for place in where
        for engine in wanted_engines
        if engines.why_not(engine, recipe, place.device) is None
        and (place.threads in (None, cpu.cores()) or engines.kind(engine).limits_threads)
    ]


def absences(
    recipe: Recipe, wanted_engines: Sequence[str], wanted_devices: Sequence[str]
) -> Iterator[Absent]:
    """What was wanted and is not here, with the reason."""
    for device in wanted_devices:
        reason = devices.why_not(device)
        if reason is not None:
            yield Absent(device=device, reason=reason)
            continue
        for engine in wanted_engines:
            reason = engines.why_not(engine, recipe, device)
            if reason is not None:
                yield Absent(engine=engine, device=device, reason=reason)


def chosen(kind: str, text: str | None, known: Sequence[str]) -> list[str]:
    """A comma-separated option, checked; everything known where it was not given."""
    if text is None:
        return list(known)
    return [choice(kind, name.strip(), known) for name in text.split(",")]


def thread_counts(text: str | None) -> list[int]:
    """A comma-separated option, checked; 1 and all of the CPU's where it was not given."""
    most = cpu.cores()
    if text is None:
        return sorted({1, most})
    try:
        return [whole(part, 1, most) for part in text.split(",")]
    except UserError as error:
        raise UserError(f"--threads: {error}") from None
