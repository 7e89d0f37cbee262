"""The tables of results/README.md, written from zipnet/results/schema.py.

python -m tests.results_readme writes them; tests/test_results_readme.py holds the file to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import FieldInfo, fields

from tests.commands import ROOT
from zipnet.results.schema import QUESTIONS, Benchmark, ResultFile, Row, State

PAGE = ROOT / "results" / "README.md"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def inside(kind: Any) -> Iterator[Any]:
    """A type, and all that it is made of."""
    yield kind
    for part in get_args(kind):
        yield from inside(part)


def described(field: FieldInfo) -> str:
    words = [m.description for m in get_args(field.type) if isinstance(m, Meta) and m.description]
    either = [get_args(part) for part in inside(field.type) if get_origin(part) is Literal]
    return "; ".join([" or ".join(f"`{name}`" for name in names) for names in either] + words)


def nested(field: FieldInfo) -> list[type[Struct]]:
    parts = [part for part in inside(field.type) if isinstance(part, type)]
    return [part for part in parts if issubclass(part, Struct) and part is not Benchmark]


def structs(name: str, kind: type[Struct], found: dict[type[Struct], list[str]]) -> None:
    """Every struct under this one, each with the keys that hold one, in the order of the file."""
    keys = found.setdefault(kind, [])
    if name not in keys:
        keys.append(name)
        for field in fields(kind):
            for inner in nested(field):
                structs(f"`{field.encode_name}`", inner, found)


def fields_of(name: str, top: type[Struct], *elsewhere: type[Struct]) -> str:
    found: dict[type[Struct], list[str]] = {}
    structs(name, top, found)
    blocks = []
    for kind, keys in found.items():
        if kind not in elsewhere:
            rows = ((f"`{field.encode_name}`", described(field)) for field in fields(kind))
            blocks.append(" ".join((kind.__doc__ or "").split()))
            blocks.append(table((f"key of {', '.join(keys)}", "what"), rows))
    return "\n\n".join(blocks)


def questions() -> str:
    rows = ((f"`{name}`", q.words, q.unit, q.round) for name, q in QUESTIONS.items())
    return table(("`question`", "in words", "unit", "one round is"), rows)


def page(text: str) -> str:
    """The page with its tables written anew, each between two comments that name it."""
    for name, written in (
        ("file", fields_of("a file", ResultFile)),
        ("row", fields_of("`extra_info`", Row, State)),
        ("questions", questions()),
    ):
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"\n<!-- end of {name} -->")
        assert end, f"{PAGE}: nowhere to write the table named {name}"
        text = f"{before}<!-- {name} -->\n{written}{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
