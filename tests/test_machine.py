"""Identity: stable, private, a folder name anywhere."""

import getpass
import json
import re
import socket
import subprocess

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bench.measuring import machine
from bench.measuring.session import commit
from tests.commands import run
from zipnet.results.schema import Commit


def test_identity_is_the_same_twice_and_names_nobody():
    about = machine.identity()
    assert about == machine.identity()
    text = msgspec.json.encode(about).decode()
    for private in (socket.gethostname(), getpass.getuser()):
        assert not re.search(rf"\b{re.escape(private)}\b", text)


@given(st.text(max_size=300))
def test_a_machine_name_is_a_folder_name_on_every_file_system(text):
    name = machine.slug(text)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,78}[a-z0-9])?", name)


def test_commit_says_which_and_whether_dirty_and_nothing_else():
    assert set(commit().__struct_fields__) == {"id", "dirty"}


def test_what_a_run_itself_writes_is_no_difference_from_the_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("zipnet/net.py", "results/m/1.json", "reports/README.md"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("as committed")
    person = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    for words in (["init", "-q"], ["add", "."], [*person, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], check=True)
    (tmp_path / "reports/README.md").write_text("drawn again")
    (tmp_path / "results/m/1.json").write_text("measured again")
    assert commit().dirty is False
    monkeypatch.chdir(tmp_path / "results")
    (tmp_path / "zipnet/net.py").write_text("changed")
    assert commit().dirty is True


def test_commit_is_none_where_there_is_no_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == Commit()


def test_software_has_the_versions_that_numbers_depend_on():
    assert {"python", "numpy", "torch"} <= set(machine.software())


def test_machine_command_prints_it():
    result = run("bench", "machine", "--json")
    assert json.loads(result.stdout) == msgspec.to_builtins(machine.identity())
