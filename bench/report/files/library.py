"""The result files that a command was given: files, folders, globs and addresses, good and bad."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.report.files import cache
from bench.report.files.columns import unpack
from bench.report.files.loading import Answer, Fetch, load
from bench.report.files.places import Place, local
from bench.report.files.remote import Store, is_remote, path_of
from bench.report.rows.examined import Examined, without_shared_timings
from zipnet.errors import UserError


@dataclass(frozen=True)
class Library:
    """What could be read, by machine and time, and one line for each thing that could not."""

    examined: tuple[Examined, ...]
    bad: tuple[str, ...]
    named: Mapping[str, tuple[str, ...]]  # the addresses that each argument stood for


def collect(arguments: Sequence[str]) -> Library:
    """Read everything the arguments name; never raises for a bad file."""
    examined: list[Examined] = []
    bad: list[str] = []
    named: dict[str, tuple[str, ...]] = {}
    for answer in _everything(arguments, bad, named):
        if answer.packed is not None:
            examined.append(unpack(answer.packed, answer.place))
        else:
            bad.append(answer.bad or "")
    examined.sort(key=lambda one: (one.file.machine.name, one.file.written, one.file.source))
    return Library(tuple(without_shared_timings(examined)), tuple(bad), named)


def _everything(
    arguments: Sequence[str], bad: list[str], named: dict[str, tuple[str, ...]]
) -> Iterator[Answer]:
    """What came of each file once, whatever many arguments name it.

    A shell may have made ten thousand arguments of one glob: single files are read together.
    """
    seen: set[str] = set()
    single: list[Place] = []
    for argument in arguments:
        places, fetch = _places(argument, bad)
        named[argument] = tuple(place.key for place in places)
        new = {place.key: place for place in places if place.key not in seen}
        seen |= set(new)
        if fetch is None and len(places) == 1:
            single += new.values()
        else:
            yield from _answers(argument, list(new.values()), fetch)
    yield from load(single)


def _answers(argument: str, places: Sequence[Place], fetch: Fetch | None) -> Iterator[Answer]:
    """What came of each place: from the cache where it has not changed, else by reading it."""
    store = cache.of(argument, len(places))
    known = store.known(places) if store else {}
    yield from (Answer(place, known[place.key], None) for place in places if place.key in known)
    new = [place for place in places if place.key not in known]
    before = len(known)
    for answer in load(new, fetch):
        if store and answer.packed is not None:
            known[answer.place.key] = answer.packed
        yield answer
    if store and len(known) > before:
        store.keep(places, known)


def _places(argument: str, bad: list[str]) -> tuple[list[Place], Fetch | None]:
    """Where the files lie that an argument stands for, and how to fetch them from elsewhere."""
    try:
        if is_remote(argument):
            store = Store.of(argument)
            return store.places(), store.fetch
    except UserError as error:
        bad.append(str(error))
        return [], None
    return list(_some(local(path_of(argument), bad), bad)), None


def _some(places: Iterator[Place], bad: list[str]) -> Iterator[Place]:
    """The places until one of them cannot be listed."""
    try:
        yield from places
    except UserError as error:
        bad.append(str(error))
