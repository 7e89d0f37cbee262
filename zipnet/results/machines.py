"""Which runs are of one machine: those that say the same of it, its name included.

A name alone is not what a machine is: files may give different machines one name, and each is then
called by that name and by what tells it from the others. A file that says less than another, as
older ones do, is of a machine of its own: nobody knows whether it would have said the same. Two
names are two machines, even where all else agrees: a name follows from the rest, so whoever changed
one wants equal machines kept apart. Otherwise equal nodes of a cluster would pass for one machine,
and each would set the other's threshold.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from zipnet.errors import one_line
from zipnet.results.schema import Machine


def names(machines: Sequence[Machine]) -> list[str]:
    """What to call each of these machines, so that different ones are called differently."""
    known = [msgspec.json.encode(machine) for machine in machines]
    alike: dict[str, dict[bytes, Machine]] = defaultdict(dict)
    for machine, identity in zip(machines, known, strict=True):
        alike[machine.name][identity] = machine
    shown = {
        identity: name if len(others) == 1 else f"{name} ({apart})"
        for name, others in alike.items()
        for identity, apart in zip(others, _apart(others), strict=True)
    }
    return [shown[identity] for identity in known]


def _apart(machines: dict[bytes, Machine]) -> list[str]:
    """What tells each of these from the others: the shortest fact that does, or all of them."""
    facts = [_facts(machine) for machine in machines.values()]
    columns = {fact: [one_line(each[fact], 60) for each in facts] for fact in facts[0]}
    differing = [[f"{fact} {value}" for value in values]
                 for fact, values in columns.items() if len({*values}) > 1]  # fmt: skip
    alone = [texts for texts in differing if len({*texts}) == len(facts)]
    chosen = [min(alone, key=lambda texts: max(map(len, texts)))] if alone else differing
    told = [*map(", ".join, zip(*chosen, strict=True))]
    digests = [hashlib.sha256(identity).hexdigest()[:6] for identity in machines]
    return told if len({*told}) == len(facts) else digests


def _facts(machine: Machine) -> dict[str, str]:
    """Every fact but the name, in words."""
    known: dict[str, Any] = msgspec.to_builtins(machine)
    facts = known.pop("cpu") | known
    return {
        fact.replace("_", " "): "unknown" if value is None else "none known" if value == [] else
        ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for fact, value in facts.items() if fact != "name"
    }  # fmt: skip
