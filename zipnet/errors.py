"""The errors a person can cause, and the one way to tell a person anything: in one line.

Every message is one line that names the thing, the value found and the remedy. Commands print it
and leave with exit code 2; a traceback is for our own mistakes only.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

T = TypeVar("T")

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended,
EXIT_PIPE = 141  # and of one whose reader went away

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # a disk, or a terminal gone

# torch on cuda, mps and the CPU; JAX; MLX; CUDA's driver: most raise a plain RuntimeError.
_SHORT: Final = re.compile(
    r"out[ _]of[ _]memory|not enough memory|can't allocate memory|unable to allocate"
    r"|RESOURCE_EXHAUSTED",
    re.IGNORECASE,
)

# Which extra of pyproject.toml brings a library, by the name it is imported under.
EXTRAS: Final = {
    "numpy": "bench",  # without which nothing is here yet
    "torch": "engines",
    "numba": "engines",
    "fvcore": "count",
    "jax": "jax",
    "mlx": "mlx",
    "pooch": "data",
    "msgspec": "results",
    "pandas": "results",
    "scipy": "results",
    "fsspec": "results",
    "tqdm": "results",
    "matplotlib": "report",
    "jinja2": "report",
    "psutil": "bench",
    "pytest": "bench",
    "pytest_benchmark": "bench",
}


class UserError(ValueError):
    """Bad input. str() is one line for a person: the thing, the value found, the remedy."""

    def __str__(self) -> str:
        return one_line(super().__str__())


def one_line(text: str, limit: int = 400) -> str:
    """Fold whitespace, drop control characters and cut, so that any input fits in one message."""
    folded = " ".join(text[: 4 * limit].split())
    clean = "".join(c if c.isprintable() else "?" for c in folded)
    return clean if len(clean) <= limit else clean[: limit - 3] + "..."


def note(text: str) -> None:
    """Say one line on stderr: news that a person may want and that stops nothing."""
    print(f"zipnet: {one_line(text)}", file=sys.stderr, flush=True)


def answer(question: Callable[[], T]) -> T | None:
    """What a question to the system brings; None where it has no answer, for whatever reason.

    Systems lack calls, containers and sandboxes forbid them, and libraries stumble over what they
    read there, each with an exception of its own (psutil#2382, psutil#2841).
    """
    try:
        return question()
    except Exception:
        return None


def short_of_memory(error: BaseException) -> str | None:
    """What an error says, where it says in any library's words that memory was short; else None."""
    if isinstance(error, MemoryError) or _SHORT.search(str(error)):
        return f"out of memory: {one_line(str(error) or type(error).__name__, 200)}"
    return None


def shown(value: object, limit: int = 60) -> str:
    """repr() of a value found, short enough for a message however long the value is."""
    text = repr(value[: limit + 1]) if isinstance(value, str | bytes) else repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


class Parser(argparse.ArgumentParser):
    """argparse with usage errors in one line, to which values that are empty belong."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2 and one line, without the usage block."""
        self.exit(EXIT_USAGE, f"{self.prog}: {one_line(message)}; see '{self.prog} --help'\n")

    def parse_known_args(self, *given: Any) -> Any:  # type: ignore[override]
        """Refuse what a shell makes of a variable that is not set, before it means something."""
        found, unknown = super().parse_known_args(*given)
        for name, value in vars(found).items():
            if value == "" or (isinstance(value, list) and "" in value):
                self.error(f"{name} is empty; give it a value, or leave it out")
        return found, unknown


def not_installed(error: ModuleNotFoundError) -> str | None:
    """What is missing and which extra brings it; None where it is no library of ours."""
    library = (error.name or "").partition(".")[0]
    if library not in EXTRAS:
        return None
    return f"{library} is not installed; {how_to_install(EXTRAS[library])}"


def how_to_install(extra: str) -> str:
    """What to type in a clone, with the Python that is running: no index has zipnet.

    A system's own Python refuses packages from elsewhere, and need not be called `python`.
    """
    name, enter = Path(sys.executable or "python3").name, ""
    if Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists() and not _in_venv():
        enter = f"{name} -m venv .venv && . .venv/bin/activate && "
    return f"in the clone of zipnet: {enter}{name} -m pip install -e '.[{extra}]'"


def _in_venv() -> bool:
    return sys.prefix != sys.base_prefix


def run_command(prog: str, body: Callable[[], int]) -> int:
    """Run a command's body and turn what went wrong into one line on stderr and an exit code.

    Returns the body's exit code, 2 for a UserError, a library that is not installed, a full disk or
    memory, 130 for Ctrl-C, and 141 where the reader of our output went away (as in `... | head`).
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # a shell's >&- leaves none, and print() takes the other
            setattr(sys, name, io.StringIO())
    try:
        code = body()
        sys.stdout.flush()
    except UserError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return EXIT_USAGE
    except ModuleNotFoundError as error:
        if (said := not_installed(error)) is None:
            raise
        print(f"{prog}: {said}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt as error:  # which may say how to go on
        print(f"{prog}: {error if error.args else 'interrupted'}", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        muted()
        return EXIT_PIPE
    except (RuntimeError, MemoryError) as error:
        if said := short_of_memory(error):
            said += "; ask for less at once, or go where there is more"
        elif "can't start new thread" in str(error):
            said = ("no more threads may be started here (ulimit -u, or the container's limit "
                    "of processes); raise it, or give --threads 1")  # fmt: skip
        else:
            raise
        print(f"{prog}: {said}", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        if error.errno not in FULL:
            raise
        muted()
        print(f"{prog}: {error.strerror}; its output could not be written", file=sys.stderr)
        return EXIT_USAGE
    return code


def muted() -> None:
    """Give stdout somewhere to go when the interpreter flushes it once more at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def choice(kind: str, value: str, known: Sequence[str]) -> str:
    """Return value if it is one of known; otherwise raise a UserError that lists what is."""
    if value not in known:
        raise UserError(f"{kind} {shown(value)} is not known; choose one of: {', '.join(known)}")
    return value


def alike(value: str, known: Iterable[str]) -> str:
    """The end of a message about a name that is not known: those that are most like it."""
    import difflib  # for whoever mistypes

    near = difflib.get_close_matches(value, known, 3, 0.4)
    return f"; did you mean: {', '.join(near)}?" if near else ""


def whole(text: str, low: int, high: int) -> int:
    """A whole number that a person typed; raises a UserError that says what fits.

    Digits are ASCII and few, because int() takes any script's and refuses thousands of them.
    """
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else low - 1
    if not low <= number <= high:
        raise UserError(f"{shown(text)} is not a whole number from {low} to {high:,}")
    return number


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """A type for argparse, which shows the message of no other exception than its own."""

    def parse(text: str) -> int:
        try:
            return whole(text, low, high)
        except UserError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse
