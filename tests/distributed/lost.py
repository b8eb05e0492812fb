"""Two ranks, one of which does not come to an exchange until the other has given up on it.

python lost.py OUT
"""

import sys
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

import torch.distributed as dist
from azr.distributed.group import Group
from azr.errors import RankError
from forks import fork


def run(out: Path) -> None:
    ranks = Group("cpu", timedelta(hours=2), out)
    ranks.gather("both are here")
    # From now on waiting for the other takes no longer than that.
    dist.distributed_c10d._set_pg_timeout(timedelta(seconds=0.2), ranks._objects)
    if ranks.rank == 1:
        while not (out / "error.txt").exists():
            threading.Event().wait(0.01)
        return
    try:
        ranks.gather("here")
    except RankError as error:
        (out / "error.writing").write_text(str(error), "utf-8")
        (out / "error.writing").rename(out / "error.txt")


if __name__ == "__main__":
    fork(2, partial(run, Path(sys.argv[1])))
