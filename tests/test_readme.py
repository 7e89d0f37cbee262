"""What the README shows works as written."""

import re
import shlex
from dataclasses import replace

import pytest

import zipnet
from tests.commands import ROOT, run

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, flags=re.DOTALL)


def run_example(at):
    """One of the README's blocks of Python, as it stands."""
    exec([body for language, body in BLOCKS if language == "python"][at], {})


def test_the_python_example_runs(real_data, monkeypatch, capsys):
    """With one pass of each training, which the example's reader does not name."""
    one_pass = replace(zipnet.named("1989"), passes=1)
    monkeypatch.setattr(zipnet, "named", {"1989": one_pass}.__getitem__)
    run_example(0)
    misses, per_minute = capsys.readouterr().out.split()
    assert 100 <= int(misses) <= 400
    assert float(per_minute) > 0


def test_the_notebooks_example_runs(monkeypatch, tmp_path, capsys):
    (tmp_path / "results").symlink_to(ROOT / "results")
    monkeypatch.chdir(tmp_path)  # it writes a table
    run_example(1)
    assert (tmp_path / "rows.parquet").stat().st_size
    told = capsys.readouterr().out
    assert "fused" in told
    assert "verdict" in told


@pytest.mark.parametrize("environment", ["bench", "bench-cuda"])
def test_tox_leaves_an_interrupted_session_the_time_to_save(environment):
    """It kills within half a second, and says Ctrl-C twice, unless it is told to wait."""
    listed = run("tox", "config", "-e", environment, "-k", "suicide_timeout", "interrupt_timeout")
    assert listed.returncode == 0, listed.stderr
    waits = dict(line.split(" = ") for line in listed.stdout.splitlines() if " = " in line)
    assert float(waits["suicide_timeout"]) >= 30
    assert float(waits["interrupt_timeout"]) >= 30


def commands():
    """Every `python -m` line of the table of commands, without its explanation and its choices."""
    for line in TEXT.splitlines():
        if line.startswith(("python -m zipnet", "python -m bench", "pytest --")):
            yield re.split(r"\s{2,}|\[", line)[0].strip()


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_every_command_of_the_readme_exists(line):
    words = shlex.split(line)
    arguments = words[2:] if words[0] == "python" else words
    done = run(*arguments, "--help")
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


def test_every_file_of_the_readme_exists():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    paths = [*links, *re.findall(r"`((?:zipnet|bench|tests|results|reports)/[\w./]+)`", TEXT)]
    missing = [p for p in paths if "://" not in p and not (ROOT / p).exists()]
    assert len(paths) > 5
    assert not missing
