"""Result files: whole or not at all, never over an earlier one, on a disk or in a store."""

import errno
import json
import os
import tempfile
import uuid
from pathlib import Path

import fsspec
import msgspec
import pytest

from bench.measuring import writer
from bench.measuring.folder import folder
from tests import records_factory
from tests.test_bench_session import measure
from zipnet.errors import UserError
from zipnet.results.collect import collect
from zipnet.results.schema import ResultFile


@pytest.fixture(params=["disk", "file", "store"])
def address(request, tmp_path):
    places = {
        "disk": str(tmp_path / "r"),
        "file": f"file://{tmp_path}/r",
        "store": f"memory://{uuid.uuid4().hex}/r",
    }
    return places[request.param]


def save(address, document):
    return writer.save(document, folder(address), "m", "20260101T000000Z", "abc")


def document(**changed):
    return records_factory.result() | changed


def read(path):
    with fsspec.open(path) as file:
        return json.loads(file.read())


def test_results_are_never_overwritten(address):
    first, second = save(address, document(n=1)), save(address, document(n=2))
    assert first != second
    assert [read(saved)["n"] for saved in (first, second)] == [1, 2]
    system, root = fsspec.url_to_fs(address)
    assert len(system.find(root)) == 2


@pytest.fixture(params=[errno.EPERM, errno.ENOTSUP, errno.ENOSYS, NotImplementedError])
def no_hard_links(request, monkeypatch):
    """As on exFAT and on many network folders."""

    def link(*names, **options):
        if isinstance(request.param, int):
            raise OSError(request.param, os.strerror(request.param))
        raise request.param("os.link() not available")

    monkeypatch.setattr(os, "link", link)


def test_without_hard_links_results_are_saved_and_never_overwritten(tmp_path, no_hard_links):
    folder(str(tmp_path)).probe("m")
    first, second = save(str(tmp_path), document(n=1)), save(str(tmp_path), document(n=2))
    assert [read(saved)["n"] for saved in (first, second)] == [1, 2]
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".json"}
    assert len(list((tmp_path / "m").iterdir())) == 2


def test_what_cannot_be_moved_into_place_leaves_no_empty_file(tmp_path, no_hard_links, monkeypatch):
    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    for attempt in (folder(str(tmp_path)).probe, lambda: save(str(tmp_path), document())):
        with pytest.raises(UserError, match="No space left"):
            attempt()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_machines_folder_that_cannot_be_made_is_found_before_the_first_row(tmp_path):
    (tmp_path / "m").write_text("")
    with pytest.raises(UserError, match=r"cannot be written: .*--results"):
        folder(str(tmp_path)).probe("m")


@pytest.mark.parametrize("why", ["disk full", "folder gone", "store away", "not JSON"])
def test_what_cannot_be_saved_is_kept_and_its_path_is_the_last_line(tmp_path, monkeypatch, why):
    """With a result file's own name, in a folder that can be reported on."""

    def fail(*_):
        raise {"disk full": UserError("results folder 'r' cannot be written: No space left"),
               "folder gone": FileNotFoundError(2, "No such file"),
               "store away": RuntimeError(""), "not JSON": ValueError("nan")}[why]  # fmt: skip

    monkeypatch.setattr(writer, "save", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    few = ("bench/bench_floor.py", "-k", "empty_engine", "--engines=eager")
    done = measure(tmp_path / "r", *few)
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.strip()]
    assert line.startswith("zipnet: ")
    last = done.stdout.splitlines()[-1]
    (path,) = (path for path in tmp_path.rglob("*.json"))
    assert last.endswith(str(path))
    assert "checked: ok" in done.stdout
    assert collect([str(path.parent)]).bad == []


def test_a_number_that_is_none_leaves_no_file(address):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(address, document(n=float("nan")))
    system, root = fsspec.url_to_fs(address)
    assert not system.exists(root) or not system.find(root)


def test_what_no_reader_would_take_is_said_and_kept_out_of_their_sight(address):
    with pytest.raises(UserError, match=r"kept as .*abc\.refused: .*`\$\.status`") as caught:
        save(address, document(status="finished"))
    assert "'finished'" in str(caught.value)
    system, root = fsspec.url_to_fs(address)
    (kept,) = system.find(root)
    assert json.loads(system.cat_file(kept))["status"] == "finished"


def test_a_probe_leaves_nothing_behind(address):
    folder(address).probe()
    system, root = fsspec.url_to_fs(address)
    assert not system.exists(root) or not system.find(root)


@pytest.mark.parametrize("bad", ["{}/f", "file://{}/f", "nonsense://bucket/results"])
def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path, bad):
    (tmp_path / "f").write_text("")
    where = bad.format(tmp_path)
    for attempt in (folder(where).probe, lambda: save(where, document())):
        with pytest.raises(UserError, match=r"cannot be written: .*--results"):
            attempt()


def test_a_session_saves_into_an_address(tmp_path):
    done = measure(f"file://{tmp_path}/r", "bench/bench_floor.py", "-k", "empty_engine")
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (tmp_path / "r").glob("*/*.json")
    file = msgspec.json.decode(path.read_bytes(), type=ResultFile)
    assert file.status == "complete"
    assert {row.extra_info.unit for row in file.benchmarks} == {"s"}


def test_a_store_whose_library_is_missing_is_one_line_and_exit_code_2():
    done = measure("nonsense://bucket/results", "bench/bench_floor.py")
    assert done.returncode == 2
    (line,) = [text for text in done.stderr.splitlines() if text.strip()]
    assert "nonsense" in line
    assert "--results" in line
