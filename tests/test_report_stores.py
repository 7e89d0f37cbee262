"""Result files in memory, in an archive or at a file: address are read as those in a folder."""

import argparse
import json
import zipfile

import pytest

from bench.report.compare.arguments import add_arguments
from bench.report.compare.command import run
from bench.report.files import cache, library, remote, strict_json
from tests import records_factory as factory
from zipnet.errors import UserError

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
    there, here = library.collect(["memory://results"]), library.collect([str(tmp_path)])
    assert not there.bad
    assert [e.file.source for e in there.examined] == ["a/1.json", "b/1.json"]
    assert [e.measures[0].seconds for e in there.examined] == [
        e.measures[0].seconds for e in here.examined
    ]
    assert there.examined[0].file.path is None


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
    found = library.collect([address, address])
    assert len(found.examined) == 1


def test_an_archive_is_a_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("m/1.json", json.dumps(factory.result("m")))
    found = library.collect([f"zip://::{tmp_path / 'all.zip'}"])
    assert [e.file.source for e in found.examined] == ["m/1.json"]


def test_a_file_address_is_a_path(tmp_path):
    path = factory.write(tmp_path / "a b", factory.result())
    (found,) = library.collect([(tmp_path / "a b").as_uri()]).examined
    assert found.file.path == path


def test_bad_files_in_a_store_are_named_one_by_one(store, monkeypatch):
    put(store, "1.json", factory.result("m"))
    store.pipe_file("/results/m/2.json", b"[" * 100_000)
    store.pipe_file("/results/m/3.json", b" " * 9_000_000)
    monkeypatch.setattr(strict_json, "MAX_BYTES", 8_000_000)
    monkeypatch.setattr(remote, "MAX_BYTES", 8_000_000)
    found = library.collect(["memory://results"])
    assert len(found.examined) == 1
    assert found.bad == (
        "m/2.json: nested too deeply; expected a result file",
        "m/3.json: 9000000 bytes; expected at most 8000000",
    )


def test_a_file_that_goes_while_it_is_fetched_is_named(store, monkeypatch):
    put(store, "1.json", factory.result("m"))
    honest = remote.Store.places

    def gone(self):
        found = honest(self)
        store.rm("/results/m/1.json")
        return found

    monkeypatch.setattr(remote.Store, "places", gone)
    (line,) = library.collect(["memory://results"]).bad
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
    found = library.collect([address])
    assert not found.examined
    (line,) = found.bad
    assert WRONG[address] in line
    assert "\n" not in line


def test_files_in_a_store_are_cached_by_what_it_says_of_them(store, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(cache, "FEWEST", 1)
    monkeypatch.setenv("ZIPNET_CACHE", str(tmp_path))
    fetched = []
    honest = remote.Store.fetch

    def fetch(self, places):
        fetched.extend(place.name for place in places)
        return honest(self, places)

    monkeypatch.setattr(remote.Store, "fetch", fetch)
    put(store, "1.json", factory.result("m"))
    put(store, "2.json", factory.result("m", datetime="2026-01-01"))
    first = library.collect(["memory://results"])
    assert library.collect(["memory://results"]) == first
    assert len(fetched) == 2
    put(store, "2.json", factory.result("m", datetime="2026-01-02"))
    assert library.collect(["memory://results"]) != first
    assert len(fetched) == 3


def test_a_store_that_tells_nothing_of_its_files_is_not_cached():
    assert remote._stamp({"name": "x", "size": 3, "type": "file"}) is None


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        ({"mtime": 1_700_000_000}, True),
        ({"mtime": 4_000_000_000}, False),  # whole seconds, and not past
        ({"mtime": 4_000_000_000.5}, True),
        ({"LastModified": "2026-01-01T00:00:00Z"}, True),
        ({"LastModified": "2090-01-01T00:00:00+00:00"}, False),
        ({"LastModified": "2090-01-01T00:00:00+00:00", "ETag": "x"}, True),
        ({"LastModified": "some day"}, False),
        ({"ETag": None}, False),
    ],
)
def test_a_time_in_whole_seconds_counts_once_it_is_past(facts, kept):
    assert (remote._stamp(facts) is not None) is kept
