"""One engine from nothing to its first step, in a process of its own; prints the phases as JSON.

    python -m bench.first_step ENGINE DEVICE

Imports stand inside the function because importing is the first phase.
"""

from __future__ import annotations

import json
import sys
import time


def main(engine_name: str, device: str) -> None:
    """Import, make and compile, take a step; print the seconds of each."""
    began = time.perf_counter()
    import numpy as np

    from zipnet import engines
    from zipnet.params import Params
    from zipnet.recipe import KARPATHY_1989

    engine = engines.make(engine_name, KARPATHY_1989, device)
    imported = time.perf_counter()
    engine.load(Params.init(0))
    placed = engine.place(
        np.zeros((1, 1, 16, 16), np.float32), np.full((1, 10), -1.0, np.float32), 1
    )
    engine.prepare(placed)
    compiled = time.perf_counter()
    engine.run(placed)
    engine.sync()
    stepped = time.perf_counter()
    phases = {
        "import": imported - began,
        "compile": compiled - imported,
        "step": stepped - compiled,
    }
    print(json.dumps(phases))


if __name__ == "__main__":
    main(*sys.argv[1:])
