"""Which commit of zipnet is measured."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

import zipnet
from zipnet.results.schema import Commit

HOME: Final = Path(zipnet.__file__).parents[1]
CODE: Final = (":(top)", ":(top,exclude)results", ":(top,exclude)reports")  # to git, what runs
SOURCE: Final = (".py", ".so", ".pyd", ".toml", ".ini", ".cfg")  # whose presence changes what runs
ELSEWHERE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")  # set while git runs a hook


def commit(home: Path = HOME) -> Commit:
    """The commit that was measured and whether files differed from it; nothing that names people.

    home: the folder that holds zipnet. It is asked where it is the top of a repository that tracks
    zipnet: of a stranger's, into which zipnet was installed or copied, the commit says nothing.
    What a run and its report write themselves is no difference; source that nobody added is one.
    pytest-benchmark's own answer holds the branch and the project's remote, which are private.
    """
    try:
        top = Path(_git(home, "rev-parse", "--show-toplevel"))
        _git(home, "ls-files", "--error-unmatch", "zipnet/__init__.py")
        identity = _git(home, "rev-parse", "HEAD")
        changed = _git(home, "status", "--porcelain", "-z", "--untracked-files=all", "--", *CODE)
    except (OSError, subprocess.CalledProcessError):
        return Commit()
    if top.resolve() != home.resolve():
        return Commit()
    entries = filter(None, changed.split("\0"))
    return Commit(identity, any(not entry.startswith("??") or entry.endswith(SOURCE)
                                for entry in entries))  # fmt: skip


def _git(home: Path, *arguments: str) -> str:
    """What git says there, whichever repository its environment is about."""
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    # Whose folder it is does not matter: git distrusts another user's, whose code we are.
    asked = ["-c", f"safe.directory={home}", "--no-optional-locks", "-C", str(home)]
    result = subprocess.run(
        ["git", *asked, *arguments],  # noqa: S607
        capture_output=True, text=True, errors="replace", check=True, env=environment,
    )  # fmt: skip
    return result.stdout.removesuffix("\n")
