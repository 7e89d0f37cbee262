"""Calling torchrun: where ranks are lost, their one line stands alone, without torchrun's page."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from zipnet.errors import EXIT_INTERRUPTED, EXIT_USAGE, UserError, note, one_line

EXIT_LOST: Final = 1


def torchrun(options: Sequence[str], module: str, arguments: Sequence[str]) -> int:
    """Start ranks of a module by torchrun's own options, never again where one ended.

    Returns 0, the code by which a rank said what was wrong with its arguments or that it was
    interrupted, or EXIT_LOST for all else. Raises UserError where torchrun cannot begin.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as torchrun does, which would tell at length
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # sockets warn of hosts without names
    try:
        from torch.distributed import run
        from torch.distributed.elastic.multiprocessing.api import SignalException
        from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    except ImportError:
        raise UserError("this torch is built without torch.distributed") from None
    logging.disable(logging.CRITICAL)  # of this process, which only starts others
    launcher: Any = run  # untyped in torch
    parser = launcher.get_args_parser()
    parser.error = _refused
    try:
        launcher.run(parser.parse_args([*options, "--max-restarts=0", "-m", module, *arguments]))
    except ChildFailedError as error:
        for rank, failure in error.failures.items():
            if failure.local_rank == 0 and failure.exitcode < 0:  # who speaks for this host
                note(
                    f"rank {rank} was killed by signal {-failure.exitcode}; what it saved is there"
                )
        _, first = error.get_first_failure()
        return first.exitcode if first.exitcode in (EXIT_USAGE, EXIT_INTERRUPTED) else EXIT_LOST
    except SignalException as error:
        return EXIT_INTERRUPTED if error.sigval.name == "SIGINT" else EXIT_LOST
    except (RuntimeError, ValueError, OSError) as error:  # among them hosts that do not meet
        raise UserError(f"torchrun: {one_line(str(error), 200)}") from None
    return 0


def _refused(message: str) -> NoReturn:
    raise UserError(f"torchrun: {message}; torchrun --help has its options")
