"""Result files in memory, in an archive or at a file: address are read as those in a folder."""

import argparse
import json
import zipfile

import pytest

from bench.report.compare import add_arguments
from bench.report.compare.command import run
from tests import records_factory as factory
from zipnet.errors import UserError
from zipnet.results import places
from zipnet.results.collect import collect

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store():
    """An empty store in memory; what a test puts there is gone after it."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    yield memory
    memory.store.clear()


def put(store, name, content, machine="m"):
    store.pipe_file(f"/results/{machine}/{name}", json.dumps(content).encode())


def test_a_folder_in_a_store_reads_like_one_on_a_disk(store, tmp_path):
    for name in ("a", "b"):
        content = factory.result(name)
        put(store, "1.json", content, name)
        factory.write(tmp_path, content, "1.json")
    put(store, ".half.json", {}, "a")
    put(store, "notes.txt", {}, "a")
    there, here = collect(["memory://results"]), collect([str(tmp_path)])
    assert not there.bad
    assert [run.source for run in there.runs] == ["a/1.json", "b/1.json"]
    assert there.columns["value"].tolist() == here.columns["value"].tolist()
    assert there.timings.equals(here.timings)  # fetched anew
    assert there.runs[0].place.path is None


@pytest.mark.parametrize("name", ["a [1].json", "what?.json", "*.json", "ä%20#.json"])
def test_whatever_a_store_calls_a_file_it_is_read(store, name):
    put(store, name, factory.result())
    there = collect(["memory://results"])
    assert not there.bad
    assert [run.place.name for run in there.runs] == [f"/results/m/{name}"]
    assert len(there.timings)


def test_machines_of_a_store_are_compared_by_name(store, capsys):
    for name, speed in (("laptop", 1.0), ("station", 2.0)):
        put(store, "1.json", factory.result(name, speed), name)

    def compare(*arguments):
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        code = run(parser.parse_args([*arguments, "--results", "memory://results"]))
        return code, *capsys.readouterr()

    code, out, err = compare("laptop", "station")
    assert (code, err) == (0, "")
    assert out.startswith("B is 2.00x as fast as A")
    with pytest.raises(UserError, match="only laptop to compare"):
        compare("laptop", "tower")
    assert "results/tower" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["memory://results/m/*.json", "memory://results/m/1.json"])
def test_a_glob_and_a_file_are_addresses_too(store, address):
    put(store, "1.json", factory.result("m"))
    found = collect([address, address])
    assert len(found.runs) == 1


def test_an_archive_is_a_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("m/1.json", json.dumps(factory.result("m")))
    found = collect([f"zip://::{tmp_path / 'all.zip'}"])
    assert [run.source for run in found.runs] == ["m/1.json"]


def test_a_file_address_is_a_path(tmp_path):
    path = factory.write(tmp_path / "a b", factory.result())
    (found,) = collect([(tmp_path / "a b").as_uri()]).runs
    assert found.place.path == path


def test_bad_files_in_a_store_are_named_one_by_one(store, monkeypatch):
    put(store, "1.json", factory.result("m"))
    store.pipe_file("/results/m/2.json", b"[" * 100_000)
    store.pipe_file("/results/m/3.json", b" " * 9_000_000)
    monkeypatch.setattr(places, "MAX_BYTES", 8_000_000)
    found = collect(["memory://results"])
    assert len(found.runs) == 1
    assert found.bad == [
        "m/2.json: nested too deeply; expected a result file",
        "m/3.json: 9000000 bytes; expected at most 8000000",
    ]


def test_a_file_that_goes_while_it_is_fetched_is_named(store, monkeypatch):
    put(store, "1.json", factory.result("m"))
    honest = places.Store.places

    def gone(self):
        found = honest(self)
        store.rm("/results/m/1.json")
        return found

    monkeypatch.setattr(places.Store, "places", gone)
    (line,) = collect(["memory://results"]).bad
    assert line.startswith("m/1.json: cannot be read")


WRONG = {
    "memory://nowhere": "no such file or folder",
    "memory://empty": "holds no result file",
    "nosuch://bucket/results": "Protocol not known: nosuch",
    "zip://::/nowhere.zip": "cannot be read",
    "s3://": "cannot be read",
    "://": "no such file",
}


@pytest.mark.parametrize("address", WRONG)
def test_an_address_that_stands_for_nothing_is_one_line(store, address):
    store.pipe_file("/empty/readme.txt", b"")
    found = collect([address])
    assert not found.runs
    (line,) = found.bad
    assert WRONG[address] in line
    assert "\n" not in line
