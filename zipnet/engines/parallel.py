"""parallel: each batch shared out over ranks, processes that torchrun starts on one host or many.

Every rank holds all weights and takes the derivatives of its own digits. One all-reduce of a flat
buffer sums them, weighed by share because 7,291 digits divide evenly among no ranks but 23 and 317;
from equal sums every rank updates to equal bits.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import ClassVar, Final, final

import torch
import torch.distributed as dist
from torch import Tensor

from zipnet.cpu import cores
from zipnet.engines._torch_step import TorchEngine
from zipnet.errors import UserError, one_line
from zipnet.recipe import Recipe

PATIENCE: Final = timedelta(seconds=30)  # until a rank that does not answer is given up,
LATE: Final = timedelta(seconds=20)  # and so much more while libraries load and kernels compile
BACKENDS: Final = {"cpu": "gloo", "cuda": "nccl"}  # that sum over ranks, by device
ADDRESSES: Final = (
    "each host needs a local address that resolves and that the others reach: see its /etc/hosts, "
    "give torchrun --local-addr, and set GLOO_SOCKET_IFNAME to the network's interface"
)


def why_no_ranks(device: str) -> str | None:
    """None where this process can be one of several ranks on the device; otherwise the reason."""
    if not dist.is_available():
        return "this torch is built without torch.distributed"
    if not dist.is_torchelastic_launched():
        return "it takes several ranks, processes that torchrun starts: see README.md, Ranks"
    if device.partition(":")[0] not in BACKENDS:
        return f"ranks sum through gloo on CPUs and NCCL on CUDA GPUs, and not on {device}"
    return None


def threads_of_a_rank() -> int:
    """CPU threads of each rank, its share of the cores; torchrun itself would leave it one."""
    return max(1, cores() // int(os.environ["LOCAL_WORLD_SIZE"]))


def join(device: str, patience: timedelta = PATIENCE) -> None:
    """Meet the other ranks, once in a process. Raises UserError where they do not all come.

    On cuda the rank takes the GPU of its number on the host.
    """
    if dist.is_initialized():
        return
    local, ranks = int(os.environ["LOCAL_RANK"]), os.environ["WORLD_SIZE"]
    if device == "cuda":
        if local >= torch.cuda.device_count():
            raise UserError(
                f"--nproc-per-node is {os.environ['LOCAL_WORLD_SIZE']}, and this host has "
                f"{torch.cuda.device_count()} GPUs; give torchrun no more ranks than that"
            )
        torch.cuda.set_device(local)
    try:
        dist.init_process_group(timeout=patience + LATE)
        dist.all_reduce(torch.zeros(1))  # the first to connect them with each other
    except RuntimeError as error:
        remedy = ADDRESSES if int(os.environ["GROUP_WORLD_SIZE"]) > 1 else "start them again"
        said = one_line(str(error), 120)
        raise UserError(f"{ranks} ranks did not come together ({said}); {remedy}") from None


@final
class Parallel(TorchEngine):
    """Forward and autograd as tuned, of the rank's digits; sum; update.

    All ranks make the same calls in the same order. group: those that take part; None: all.
    """

    name: ClassVar[str] = "parallel"
    predicts_its_own_way: ClassVar[bool] = False  # each rank predicts alone, as tuned does
    group: dist.ProcessGroup | None = None

    def __init__(self, recipe: Recipe, device: str, threads: int | None = None) -> None:
        join(device)
        super().__init__(recipe, device, threads or threads_of_a_rank())

    @classmethod
    def why_not(cls, recipe: Recipe, device: str) -> str | None:
        """As torch, and among several ranks."""
        return why_no_ranks(device) or super().why_not(recipe, device)

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One step on the digits of all ranks."""
        rank, ranks = dist.get_rank(self.group), dist.get_world_size(self.group)
        begin, end = (len(x) * at // ranks for at in (rank, rank + 1))
        mine = slice(begin, max(end, begin + 1))  # where there are more ranks than digits, weighs 0
        loss, gradients, curvatures = self.derivatives(x[mine], y[mine])
        parts = [loss, *gradients, *curvatures]
        flat = torch.cat([part.flatten() for part in parts]).mul_((end - begin) / len(x))
        dist.all_reduce(flat, group=self.group)
        each = torch.split(flat, [part.numel() for part in parts])
        loss, *sums = (total.view_as(part) for total, part in zip(each, parts, strict=True))
        with torch.no_grad():
            self.optimizer.update(self.weights, sums[: len(gradients)], sums[len(gradients) :])
        return loss
