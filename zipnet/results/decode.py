"""From the bytes of a file to the schema's structs, or to the one line that says why not.

Whatever a stranger's file holds ends as a struct or as a UserError that names the file, the field,
what was found and what was expected. Whether its numbers also agree is asked in check.py.
"""

from __future__ import annotations

import codecs
import functools
import re
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta, Struct

from zipnet.errors import UserError, shown
from zipnet.results.places import plain
from zipnet.results.schema import (
    LONGEST_TEXT,
    QUESTIONS,
    SCHEMA,
    SHORTEST,
    Benchmark,
    ResultFile,
    clocked,
    most_of,
)
from zipnet.results.statistics import Floats

# Keys of pytest-benchmark that nobody here asks for.
THEIRS: Final = frozenset({"version", "group", "name", "params", "param", "options"})

_FILE: Final = msgspec.json.Decoder(ResultFile)
_AT: Final = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")
_EXPECTED: Final = re.compile(r"Expected `([^`]*)`(?:, got .*)?(.*)")
_WORDS: Final = {
    "int": "a whole number", "float": "a finite number", "str": "text", "array": "a list",
    "object": "an object", "bool": "true or false", "null": "null",
}  # fmt: skip


def decoded(content: bytes, source: str) -> tuple[ResultFile, list[Floats]]:
    """What a file says, and the values of each row's rounds, (rounds,) float64 in the row's unit.

    source: what messages call the file. Raises UserError.
    """
    try:
        content.isascii() or content.decode()  # what is skipped must be text as well
        file = _FILE.decode(content)
    except UnicodeDecodeError as error:
        raise UserError(f"{source}: not UTF-8 text (byte {error.start}); expected JSON") from None
    except RecursionError:
        raise UserError(f"{source}: nested too deeply; expected a result file") from None
    except msgspec.ValidationError as error:
        raise _invalid(content, str(error), source) from None
    except msgspec.DecodeError as error:
        raise UserError(f"{source}: {_malformed(content, error)}; expected a JSON object") from None
    if file.schema > SCHEMA:
        raise _newer(file.schema, source)
    if not isinstance(file.workload.get("hash"), str):
        raise _wrong(source, "workload.hash", file.workload.get("hash"), "text")
    file.datetime = _in_utc(file.datetime)
    return file, _rounds(file, source)


def _in_utc(moment: str) -> str:
    """A moment as UTC writes it, so that text sorts by time; what is no moment stays as it is."""
    try:
        found = datetime.fromisoformat(moment.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return moment


def cleaned(value: Any) -> Any:
    """The same with every text in it made one plain line: structs in place, the rest anew."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): cleaned(item) for key, item in value.items()}
    if isinstance(value, Struct):
        for name in value.__struct_fields__:
            setattr(value, name, cleaned(getattr(value, name)))
    return value


def unknown_keys(content: bytes) -> tuple[str, ...]:
    """The keys of a file that this version of the schema does not know, each once, sorted."""
    return tuple(sorted(set(_unknown(msgspec.json.decode(content), ResultFile, ""))))


class Field(NamedTuple):
    """What a struct says of one of its fields."""

    name: str
    key: str  # in JSON
    holds: str  # struct, number, count or text; more: a list or a dict
    struct: type[Struct] | None  # that it holds, or a list of it does
    fact: str  # the words by which a page shows it, "" where it does not
    unit: str


@functools.cache
def fields(kind: type[Struct]) -> list[Field]:
    """Every field of a struct: a new one of the schema is read and shown without a word more."""
    found, hints = [], typing.get_type_hints(kind)
    for info in msgspec.structs.fields(kind):
        types = {*_inside(hints[info.name])}
        struct = next((t for t in types if isinstance(t, type) and issubclass(t, Struct)), None)
        known: dict[str, set[Any]] = {
            "more": {list, dict},
            "struct": {struct},
            "number": {float, bool},
            "count": {int},
        }
        holds = next((name for name, these in known.items() if types & these), "text")
        said = [m.extra for m in typing.get_args(info.type) if isinstance(m, Meta) and m.extra]
        extra = said[0] if said else {"fact": "", "unit": ""}
        found.append(Field(info.name, info.encode_name, holds, struct, **extra))
    return found


def leaves(kind: type[Struct], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every field of a struct and of those in it, by the name of its column."""
    for field in fields(kind):
        yield prefix + field.name, field
        if field.holds == "struct" and field.struct:
            yield from leaves(field.struct, f"{field.name}_")


def _inside(hint: Any) -> Iterator[Any]:
    """A type and all that it is made of."""
    yield typing.get_origin(hint) or hint
    for part in typing.get_args(hint):
        yield from _inside(part)


def _unknown(value: Any, kind: type[Struct], path: str) -> Iterator[str]:
    known = {field.key: field.struct for field in fields(kind)}
    for item in value if isinstance(value, list) else [value]:
        for key, inner in item.items() if isinstance(item, dict) else ():
            if deeper := known.get(key):
                yield from _unknown(inner, deeper, f"{path}{key}.")
            elif key not in known and key not in THEIRS:
                yield plain(path + key)


def _rounds(file: ResultFile, source: str) -> list[Floats]:
    """The values of each row's rounds, after a look at what no type can say of any."""
    rows = file.benchmarks
    sizes = [len(row.stats.data) for row in rows]
    flat = np.array([*chain.from_iterable(row.stats.data for row in rows)], float)
    begins = np.cumsum([0, *sizes[:-1]]) if rows else np.arange(0)
    ends = (extreme.reduceat(flat, begins).tolist() for extreme in (np.minimum, np.maximum))
    for at, (row, least, largest) in enumerate(zip(rows, *ends, strict=True)):
        _checked(row, least, largest, f"benchmarks[{at}]", source)
    return [flat[at : at + size] for at, size in zip(begins.tolist(), sizes, strict=True)]


def _checked(row: Benchmark, least: float, largest: float, path: str, source: str) -> None:
    """Raise what speaks against a row: what its question asks for, and what no clock gives."""
    about, data = row.extra_info, row.stats.data
    question = QUESTIONS.get(about.question)
    for name in question.needs if question else ():
        if getattr(about, name) in (None, []):
            raise _wrong(source, f"{path}.extra_info.{name}", None, f"one, by {about.question}")
    shows_digits = question is not None and question.shows_digits
    if shows_digits and not about.presentations:
        raise _wrong(source, f"{path}.extra_info.presentations", 0, "a whole number >= 1")
    most = most_of(about.unit)
    if not (least >= SHORTEST and largest <= most):
        for at, value in enumerate(data):
            if not clocked(value, question, about.unit):
                unit = " seconds" if about.unit == "s" else ""
                raise _wrong(source, f"{path}.stats.data[{at}]", value,
                             f"{SHORTEST:g} to {most:g}{unit}")  # fmt: skip
    if about.laps is not None and sum(about.laps) != len(data):
        raise _wrong(source, f"{path}.extra_info.laps", about.laps,
                     f"rounds of each lap, {len(data)} in all")  # fmt: skip


def _malformed(content: bytes, error: msgspec.DecodeError) -> str:
    """Why these bytes are not JSON at all."""
    if not content.strip():
        return "empty"
    if content.startswith(codecs.BOM_UTF8):
        return "not JSON: starts with a byte order mark (BOM)"
    at = re.search(r"byte (\d+)", str(error))
    number = re.match(rb"-?(NaN|Infinity)", content[int(at[1]) :] if at else b"")
    if number:
        return f"not JSON: {number[0].decode()} is not a JSON number"
    return f"not JSON as we read it: {error}"


def _invalid(content: bytes, message: str, source: str) -> UserError:
    """The decoder's message in our words, with the value that it found."""
    found = _AT.fullmatch(message)
    what, path = (found["what"], found["path"] or "") if found else (message, "")
    try:
        whole = msgspec.json.decode(content)
    except RecursionError:
        return UserError(f"{source}: nested too deeply; expected a result file")
    except msgspec.DecodeError:  # a number that no float holds
        return UserError(f"{source}: {path[1:] or 'it'}: {what.lower()}; expected a finite number")
    schema = whole.get("schema") if isinstance(whole, dict) else None
    if type(schema) is int and schema > SCHEMA:
        return _newer(schema, source)
    if isinstance(whole, dict) and "schema" not in whole:
        expected = f"{SCHEMA}: is this a result file of zipnet?"
        return UserError(f"{source}: schema is missing; expected {expected}")
    if missing := _MISSING.fullmatch(what):
        return _wrong(source, f"{path}.{missing[1]}"[1:], None, "it in a result file")
    value, path = _at(whole, path)
    expected = _expected(what, path)
    if not path:
        return UserError(f"{source}: holds {_shown(value)}; expected {expected}")
    return UserError(f"{source}: {path} is {_shown(value)}; expected {expected}")


def _expected(what: str, path: str) -> str:
    """What the schema allows there, in words."""
    choices = typing.get_args(typing.get_type_hints(ResultFile).get(path))
    if "enum" in what:
        return f"one of: {', '.join(choices)}"
    found = _EXPECTED.fullmatch(what)
    if found is None:
        return what
    kinds = found[1].split(" | ")
    if len(kinds) > 3:
        return "text or a number"
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds) + found[2]


def _at(whole: Any, path: str) -> tuple[Any, str]:
    """The value at a path such as .benchmarks[0].stats, and the path with its keys named.

    Where it says [...] for any key of an object, the first is meant that holds more than a fact.
    """
    named = ""
    for key, index in re.findall(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", path):
        if index == "...":
            key = next((k for k, v in whole.items() if isinstance(v, list | dict)), "")
        whole = whole[key] if key else whole[int(index)]
        named += f".{key}" if key else f"[{index}]"
    return whole, plain(named[1:]) if named else ""


def _wrong(source: str, path: str, value: Any, expected: str) -> UserError:
    what = "missing" if value is None else _shown(value)
    return UserError(f"{source}: {path} is {what}; expected {expected}")


def _newer(schema: int, source: str) -> UserError:
    return UserError(f"{source}: schema is {schema}, newer than the {SCHEMA} that this version "
                     "reads; expected an older file, or a newer zipnet to read it")  # fmt: skip


def _shown(value: Any) -> str:
    """A value for a message, short however large the value is."""
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"text of {len(value)} characters"
    return shown(value)
