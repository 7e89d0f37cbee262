"""Running zipnet as someone for whom nothing was prepared: no home, a user without a name, a
checkout of somebody else's that cannot be written, no terminal, and a plain locale.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import ROOT

NOBODY = "12345"  # has no entry among the users
BARE = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LANG": "C", "COLUMNS": "40"}


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """A copy of the checkout that belongs to root and that nobody else may write."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="zipnet-checkout-") as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        for name in filter(None, listed):
            if (ROOT / name).is_file() and not name.startswith(("results/", "reports/")):
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
        yield copy


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A folder that anybody may write."""
    with tempfile.TemporaryDirectory(prefix="zipnet-own-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def run_as_nobody(
    checkout: Path, *arguments: str, setup: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS` in the checkout, with no more of an environment than is given.

    setup: shell commands that root runs before, in the same namespace of mounts.
    """
    if os.name != "posix" or os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("only root can become a user without a name, with util-linux's setpriv")
    needed = [Path(p).resolve() for p in (sys.base_prefix, sys.prefix)]
    script = "\n".join(["set -e", *_uncovered(needed), setup, 'exec setpriv "$@"'])
    given = {**BARE, "PYTHONPATH": str(checkout), **environment}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh",
         f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all",
         "env", "-i", *(f"{name}={value}" for name, value in given.items()),
         sys.executable, *arguments],
        cwd=checkout, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unshare failed" in done.stderr or "permission denied" in done.stderr.partition("\n")[0]:
        pytest.skip(f"no mounts of one's own here: {done.stderr}")
    return done


def _uncovered(needed: list[Path]) -> Iterator[str]:
    """Shell commands that let others reach folders which lie in a private one, such as /root."""
    aside = "/tmp/zipnet-aside"
    hidden = {path: next((p for p in [*path.parents][::-1] if not p.stat().st_mode & 1), None)
              for path in needed}  # fmt: skip
    for number, (path, private) in enumerate(hidden.items()):
        if private is not None:
            yield f"mkdir -p {aside}/{number} && mount --bind '{path}' {aside}/{number}"
    for private in {*hidden.values()} - {None}:
        yield f"mount -t tmpfs -o mode=755 zipnet '{private}'"
    for number, (path, private) in enumerate(hidden.items()):
        if private is not None:
            yield f"mkdir -p '{path}' && mount --bind {aside}/{number} '{path}'"
