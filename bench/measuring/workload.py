"""What is measured here, as numbers with a hash: two files of one hash did the same work."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec

from zipnet import paper
from zipnet.count import counted
from zipnet.recipe import KARPATHY_1989
from zipnet.results.schema import Plain


def workload() -> dict[str, Plain]:
    """Counts of the network and of the training run, and a SHA-256 of them.

    A node without fvcore measures as well: its counts are held to torch's own counter alone.
    """
    facts: dict[str, Plain] = {
        **counted(KARPATHY_1989, by_fvcore=find_spec("fvcore") is not None).as_dict(),
        "passes": paper.PASSES,
        "train_digits": paper.TRAIN_DIGITS,
        "presentations": paper.PRESENTATIONS,
    }
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return facts | {"hash": hashlib.sha256(canonical.encode()).hexdigest()}
