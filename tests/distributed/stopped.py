"""Runs that two ranks stop after a step, with the next one's rollouts in the checkpoint; 1, 2 and 4 ranks go on.

python stopped.py OUT CONFIG AFTER
"""

import shutil
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

from azr.config import load_config
from azr.distributed.group import Group
from azr.run.events import Quiet
from azr.run.train import resume_run, start_run
from forks import fork


class Stopper(Quiet):
    """Asks to stop after a step."""

    def __init__(self, after: int) -> None:
        self._after, self.asked = after, False

    def stepped(self, report: object, numbers: object) -> None:
        self.asked = self.asked or report.step == self._after  # type: ignore[attr-defined]


def begin(folder: Path, config_path: Path, after: int) -> None:
    ranks, stopper = Group("cpu", timedelta(hours=2), folder), Stopper(after)
    config = load_config(config_path, [f"run.folder={folder}"])
    assert not start_run(config, stopper, lambda: stopper.asked, ranks).complete
    ranks.close()


def go_on(folder: Path) -> None:
    ranks = Group("cpu", timedelta(hours=2), folder)
    assert resume_run(folder, Quiet(), lambda: False, ranks).complete
    ranks.close()


if __name__ == "__main__":
    out = Path(sys.argv[1])
    fork(2, partial(begin, out / "stopped", Path(sys.argv[2]), int(sys.argv[3])))
    for size in (1, 2, 4):
        shutil.copytree(out / "stopped", out / str(size))
        fork(size, partial(go_on, out / str(size)))
