"""In-place weight updates of a running vLLM, in each of its workers (`worker_extension_cls`).

vLLM's own loader runs once on tensors in the arena, and its copies are recorded: which slice of which tensor goes
where, for any fused layers and any number of workers. Later updates replay these copies: one pass over the weights.
Where the loader does more than copy, it runs each time.

On a CPU vLLM packs linear weights into a read-only form. Every worker imports this module before the model is built; it
keeps the weights plain.
"""

import os
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from vllm.model_executor.layers import utils as layers

from azr.rollouts.arena import Arena, Slot

FILLS = (torch.ops.aten.fill_.Scalar, torch.ops.aten.fill_.Tensor, torch.ops.aten.zero_.default)


def _plain(layer: Any, remove_weight: bool) -> None:
    """Replaces vLLM's packing of a linear layer on a CPU; other platforms never call it."""
    layer.cpu_linear = torch.nn.functional.linear


layers.dispatch_cpu_unquantized_gemm = _plain


class Weights:
    """Methods added to vLLM's worker class."""

    model_runner: Any
    _azr_arena: Arena
    _azr_copies: tuple[list[Tensor], list[Tensor]] | None
    _azr_constants: "list[tuple[Any, Any]]"

    def azr_attach(self, path: str, slots: list[list[Any]]) -> bool:
        """Load from the arena that `path` opens, and record the copies; returns whether later updates are plain
        copies."""
        self._azr_arena = Arena(os.open(path, os.O_RDWR), [Slot(n, d, tuple(s), o) for n, d, s, o in slots])
        recorder = _Recorder(self._azr_arena)
        with recorder, torch.no_grad():
            self.model_runner.get_model().load_weights(iter(self._azr_arena))
        covered = self._covered([*recorder.copies[0], *(tensor for _, (tensor, *_) in recorder.constants)])
        self._azr_copies = recorder.copies if covered else None
        self._azr_constants = recorder.constants
        return self._azr_copies is not None

    def azr_update(self) -> None:
        """Load the current content of the arena."""
        with torch.no_grad():
            if self._azr_copies is None:
                self.model_runner.get_model().load_weights(iter(self._azr_arena))
            else:
                torch._foreach_copy_(*self._azr_copies)
                for fill, arguments in self._azr_constants:  # sleeping loses them too
                    fill(*arguments)

    def azr_stale(self) -> int:
        """Number of recorded slices that differ from the arena: for tests and diagnosis."""
        targets, sources = self._azr_copies or ([], [])
        return sum(not torch.equal(t, s.to(t)) for t, s in zip(targets, sources, strict=True))

    def _covered(self, targets: list[Tensor]) -> bool:
        """Whether the targets cover every element of every parameter."""
        written: dict[int, int] = {}
        for target in targets:
            key = target.untyped_storage().data_ptr()
            written[key] = written.get(key, 0) + target.numel()
        parameters = list(self.model_runner.get_model().parameters())
        return all(written.get(p.untyped_storage().data_ptr(), 0) >= p.numel() for p in parameters)


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records copies out of an arena, and fills with constants: rows that pad a vocabulary."""

    def __init__(self, arena: Arena) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._storages = {tensor.untyped_storage().data_ptr() for _, tensor in arena}
        self.copies: tuple[list[Tensor], list[Tensor]] = ([], [])
        self.constants: list[tuple[Any, Any]] = []
        """Operations with their arguments, the tensor first."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.copy_.default and args[1].untyped_storage().data_ptr() in self._storages:
            for kept, tensor in zip(self.copies, args, strict=False):
                kept.append(tensor.detach())
        if func in FILLS:
            self.constants.append((func, args))
        return func(*args, **(kwargs or {}))
