"""Runs of one config as 1, 2 and 4 ranks, or as many as are named, in one go.

python runs.py OUT CONFIG [RANKS ...]
"""

import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

from azr.config import load_config
from azr.distributed.group import Group
from azr.run.events import Quiet
from azr.run.train import start_run
from forks import fork


def run(out: Path, config_path: Path, world: int) -> None:
    config = load_config(config_path, [f"run.folder={out / str(world)}"])
    ranks = Group("cpu", timedelta(hours=2), out / str(world))
    start_run(config, Quiet(), lambda: False, ranks)
    ranks.close()


if __name__ == "__main__":
    for size in map(int, sys.argv[3:] or (1, 2, 4)):
        fork(size, partial(run, Path(sys.argv[1]), Path(sys.argv[2]), size))
