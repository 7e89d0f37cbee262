"""One engine from nothing to its first step, in a process of its own; prints what it saw as JSON.

    python -m bench.measuring.first_step ENGINE DEVICE

Imports stand inside the function because importing is the first phase.
"""

from __future__ import annotations

import json
import sys
import time

from zipnet.errors import run_command


def main(engine_name: str, device: str) -> int:
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
    print(json.dumps({"phases": phases, "device": placed.device}))
    return 0


if __name__ == "__main__":
    engine_asked, device_asked = sys.argv[1:]
    sys.exit(run_command("first_step", lambda: main(engine_asked, device_asked)))
