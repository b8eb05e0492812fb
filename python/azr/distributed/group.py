"""Ranks as processes of one torch.distributed group, on one or several machines (torchrun's environment)."""

import copy
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from azr.distributed.launch import DOOR
from azr.distributed.ranks import Failure, Ranks
from azr.errors import RankError
from azr.run.watchdog import ranks as heartbeats
from azr.run.watchdog import write_stacks

T = TypeVar("T")
NAME = "azr/run.folder"


class Group(Ranks):
    """Joins the group that the environment describes (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT); else a group of one.

    Objects are exchanged by gloo on every device, so that they take no GPU memory.
    """

    def __init__(self, device: str, limit: timedelta, folder: Path | None = None) -> None:
        """`limit`: timeout of a collective, after which the run ends with an error. `folder`: where the heartbeats
        are."""
        backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
        if device == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        if "RANK" not in os.environ:  # no address, so that several such runs do not collide
            store: Any = dist.HashStore()  # type: ignore[attr-defined]  # public, says its documentation
            dist.init_process_group(backend, timeout=limit, store=store, rank=0, world_size=1)
        elif (agents := _agents_store()) is not None:
            # torchrun's store outlives the processes; the prefix of each start avoids addresses of dead ones.
            start = f"azr/start_{os.environ['TORCHELASTIC_RESTART_COUNT']}"
            store = dist.PrefixStore(start, agents)  # type: ignore[attr-defined]  # public, says its documentation
            rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
            dist.init_process_group(backend, timeout=limit, store=store, rank=rank, world_size=world)
        elif (door := os.environ.pop(DOOR, None)) is not None:
            rank, world, port = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"))
            listens: dict[str, Any] = {"is_master": True, "master_listen_fd": int(door)} if door else {}
            store = dist.TCPStore(os.environ["MASTER_ADDR"], port, world, timeout=limit, **listens)  # type: ignore[attr-defined]
            dist.init_process_group(backend, timeout=limit, store=store, rank=rank, world_size=world)
        else:
            dist.init_process_group(backend, timeout=limit)
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self._limit = limit
        self._objects = dist.new_group(backend="gloo", timeout=limit)
        self._inside = False
        self._folder = folder
        self._apart: Group | None = None

    def use(self, folder: Path) -> None:
        self._folder = folder

    def first(self, work: Callable[[], T]) -> T:
        if self._inside:
            return work()
        box: list[Any] = [None]
        error: BaseException | None = None
        if self.leads:
            self._inside = True
            try:
                box = [work()]
            except Exception as found:
                error, box = found, [Failure(found)]
            finally:
                self._inside = False
        self._exchange(lambda: dist.broadcast_object_list(box, 0, group=self._objects))
        if error is not None:
            raise error
        if isinstance(box[0], Failure):
            box[0].raise_()
        result: T = box[0]
        return result

    def gather(self, value: T) -> list[T]:
        if self._inside:
            raise RankError("a collective was called inside of Ranks.first()")
        found: list[Any] = [None] * self.world
        self._exchange(lambda: dist.all_gather_object(found, value, group=self._objects))
        return found

    def apart(self) -> "Group":
        if self._apart is None:
            self._apart = copy.copy(self)
            self._apart._objects = dist.new_group(backend="gloo", timeout=self._limit)
        return self._apart

    def close(self) -> None:
        if dist.is_initialized():
            dist.destroy_process_group()

    def _exchange(self, call: Callable[[], None]) -> None:
        try:
            call()
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            lost = f"rank {self.rank} lost another rank ({reason})"
            stacks = write_stacks(self._folder, self.rank, lost)
            beats = f"\n{heartbeats(self._folder)}" if self._folder else ""
            raise RankError(f"{lost}; {stacks}{beats}") from error


def remembered(name: str, restarted: bool) -> str | None:
    """The run name from the first start of this command by torchrun; `name` on the first start; None: unknown."""
    store = _agents_store()
    if store is None:
        return None if restarted else name
    if restarted and not store.check([NAME]):
        return None
    return str(store.compare_set(NAME, "", name).decode())


def _agents_store() -> Any:
    """torchrun's own store, which outlives its processes; None under another launcher."""
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return None
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return dist.TCPStore(host, port, is_master=False)  # type: ignore[attr-defined]  # public, says its documentation
