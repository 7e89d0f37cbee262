"""The run of ranks with its briefest question alone: for how a run ends, which asks no more."""

import sys

from bench.measuring import ranks

ranks._full_batch = ranks._replicas = lambda *_: iter(())

if __name__ == "__main__":
    sys.exit(ranks.main())
