"""Running the README's commands as a person does: their output, their exit code."""

from __future__ import annotations

import gc
import io
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-X", "faulthandler", "-m", *arguments]


def run(*arguments: str, timeout: float = 300, **environment: str) -> subprocess.CompletedProcess:
    """A real process, for what only a process can show."""
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def run_here(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """The same without a process of its own, where torch is loaded already."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.modules.pop(f"{arguments[0]}.__main__", None)  # runpy warns of one that a test has imported
    with (
        chdir(ROOT),
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", list(arguments)),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            code = ended.code
        finally:
            gc.enable()  # a command ends soon and does without it
            gc.unfreeze()
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def ended(process: subprocess.Popen, timeout: float = 300) -> tuple[str, str]:
    """Wait for a process to end: what it wrote. One that hangs is made to show where, and fails.

    Generous, because whether it ends is what is asked, and a test machine may stall for a minute.
    """
    try:
        return process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # faulthandler then writes every thread's stack
        out, err = process.communicate()
        raise AssertionError(f"still running after {timeout:g} s:\n{out}{err}") from None


@contextmanager
def born_with_sigint(disposition: signal.Handlers) -> Iterator[None]:
    """Processes started within inherit it: no Python has to run between fork and exec."""
    ours = signal.signal(signal.SIGINT, disposition)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, ours)


def assert_one_line_and_exit_code_2(result: subprocess.CompletedProcess, *words: str) -> None:
    """One clear line on stderr that names what is wrong; no traceback, exit code 2."""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    lines = [line for line in lines if not line.endswith(" so far)")]  # a slow machine's news
    assert result.returncode == 2, result.stderr
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    assert len(lines[0]) < 600
    for word in words:
        assert word in lines[0]
