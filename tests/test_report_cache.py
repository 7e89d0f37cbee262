"""The cache makes a fleet quick to read, and never changes what is read."""

import json
import os
import shutil
from dataclasses import replace

import pytest

from bench.report.files import cache, library, loading
from bench.report.files.places import local
from tests import fleet
from tests import records_factory as factory

pytest.importorskip("pyarrow")
FILES = 12


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """A cache of its own for each test, used for a handful of files too."""
    monkeypatch.setattr(cache, "FEWEST", 2)
    monkeypatch.setenv("ZIPNET_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def results(tmp_path):
    for at in range(FILES):
        settled(factory.write(tmp_path / "r", fleet.content_of(at % 4, at // 4), f"{at}.json"))
    return tmp_path / "r"


def settled(path, seconds=60):
    """A file written a minute ago. Its ctime cannot be set: the tests take it for as old."""
    past = path.stat().st_mtime - seconds
    os.utime(path, (past, past))
    return path


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr("bench.report.files.places.SETTLED", 0)


@pytest.fixture
def reads(monkeypatch):
    """The files that were read, and not taken from the cache."""
    seen = []
    honest = loading.read
    monkeypatch.setattr(
        loading, "read", lambda path, *known: seen.append(path.name) or honest(path, *known)
    )
    return seen


def collect(folder):
    return library.collect([str(folder)])


def test_what_comes_from_the_cache_equals_what_was_read(results, reads):
    first, again = collect(results), collect(results)
    assert len(reads) == FILES
    assert again == first
    measure = again.examined[0].measures[0]
    assert measure.lap_medians
    assert measure.file is again.examined[0].file


def test_only_new_and_changed_files_are_read_again(results, reads):
    collect(results)
    reads.clear()
    factory.write(results, fleet.content_of(1, 9), "new.json")
    changed = next(results.rglob("3.json"))
    content = json.loads(changed.read_text())
    changed.write_text(json.dumps(content | {"profile": "full"}))
    next(results.rglob("5.json")).unlink()
    found = collect(results)
    assert sorted(reads) == ["3.json", "new.json"]
    assert len(found.examined) == FILES
    assert [e.file.profile for e in found.examined if e.file.source.endswith("/3.json")] == ["full"]


def test_a_change_that_keeps_size_and_mtime_is_seen(results, reads):
    collect(results)
    path = next(results.rglob("3.json"))
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b'"standard"', b'"full"    '))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    reads.clear()
    found = collect(results)
    assert reads == ["3.json"]
    assert "full" in {e.file.profile for e in found.examined}


def test_a_file_written_a_moment_ago_is_not_trusted(results, reads, monkeypatch):
    monkeypatch.setattr("bench.report.files.places.SETTLED", 3_600_000_000_000)
    collect(results)
    collect(results)
    assert len(reads) == 2 * FILES


def the_cache(tmp_path):
    (path,) = (tmp_path / "cache").iterdir()
    return path


DAMAGE = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "other": lambda path: path.write_bytes(b"PAR1" + bytes(1000)),
    "flipped": lambda path: path.write_bytes(
        (raw := path.read_bytes())[:2000] + bytes([raw[2000] ^ 1]) + raw[2001:]
    ),
    "version": lambda path: path.write_bytes(
        (raw := path.read_bytes())[:20] + bytes([raw[20] ^ 1]) + raw[21:]
    ),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_cache_is_as_good_as_none(results, reads, tmp_path, capfd, kind):
    first = collect(results)
    DAMAGE[kind](the_cache(tmp_path))
    reads.clear()
    assert collect(results) == first
    assert len(reads) == FILES
    assert capfd.readouterr() == ("", "")
    reads.clear()
    assert collect(results) == first
    assert len(reads) == (FILES if kind == "a folder" else 0)


def test_another_version_of_the_reader_trusts_nothing(results, reads, monkeypatch):
    collect(results)
    reads.clear()
    monkeypatch.setattr(cache, "_version", lambda: bytes(cache.HASH))
    collect(results)
    assert len(reads) == FILES


def test_a_cache_that_cannot_be_written_is_done_without(results, reads, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("ZIPNET_CACHE", str(tmp_path / "file"))
    assert collect(results) == collect(results)
    assert len(reads) == 2 * FILES


def test_two_folders_never_share_a_cache_and_results_stay_as_they_are(results, tmp_path):
    shutil.copytree(results, tmp_path / "other")
    before = sorted(results.rglob("*"))
    collect(results)
    collect(tmp_path / "other")
    assert len(list((tmp_path / "cache").iterdir())) == 2
    assert sorted(results.rglob("*")) == before


def test_the_same_folder_by_another_name_shares_its_cache(results, reads, tmp_path, monkeypatch):
    collect(results)
    reads.clear()
    monkeypatch.chdir(tmp_path)
    found = collect("r")
    assert not reads
    assert found.examined[0].file.path.is_relative_to("r")


def test_without_its_library_every_file_is_read(results, reads, monkeypatch):
    monkeypatch.setattr(cache.importlib.util, "find_spec", lambda name: None)
    assert collect(results) == collect(results)
    assert len(reads) == 2 * FILES


def test_a_file_that_could_not_be_read_is_tried_again(results, reads):
    (results / "bad.json").write_text("{")
    assert collect(results).bad == collect(results).bad
    assert reads.count("bad.json") == 2


def test_a_name_that_changes_is_checked_again(results, reads):
    collect(results)
    known = cache.Cache(str(results))
    (place, *_) = local(str(results), [])
    assert place.key in known.known([place])
    assert not known.known([replace(place, source="r/20200101T000000Z_nocommit.json")])
