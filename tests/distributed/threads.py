"""Two ranks whose two threads meet their fellows in another order on each: what they exchange must not mix.

python threads.py OUT
"""

import json
import sys
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

from azr.distributed.group import Group
from forks import fork


def run(out: Path) -> None:
    ranks = Group("cpu", timedelta(hours=2))
    apart = ranks.apart()
    assert ranks.apart() is apart
    found: dict[str, list[object]] = {}

    def aside() -> None:
        found["thread"] = apart.gather(f"thread of {ranks.rank}")
        found["first"] = [apart.first(lambda: "of the thread")]

    second = threading.Thread(target=aside)
    if ranks.rank == 0:
        second.start()
    # The second rank's thread begins when the main threads have met, the first rank's waits for it meanwhile.
    found["main"] = ranks.gather(f"main of {ranks.rank}")
    if ranks.rank == 1:
        second.start()
    second.join()
    (out / f"{ranks.rank}.json").write_text(json.dumps(found), "utf-8")
    ranks.close()


if __name__ == "__main__":
    fork(2, partial(run, Path(sys.argv[1])))
