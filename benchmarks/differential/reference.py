"""Runs under the CPython that is compared with, and answers requests: one JSON line in, one a program out.

Programs are azr's own draws. Each is executed in a child of this process, under limits on memory and time; when one
ends the child, the reader is told, who then knows which one it was.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import differ
import draw
import shrink

MEMORY = 320 << 20


class TooLong(BaseException):
    """A program took its time."""


def _stop(*_: object) -> None:
    raise TooLong


def run(text: str, seconds: float) -> dict[str, object]:
    """How a program's items end, or why there is no answer."""
    space: dict[str, object] = {"__name__": "__main__"}
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.1)
    # Loops in C see no exception: this signal, which nobody handles, ends the process.
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * seconds)
    try:
        exec(compile(text, "program", "exec", dont_inherit=True), space)
        return {"ends": space["f"](0)}  # type: ignore[operator]
    except TooLong:
        return {"none": "too long"}
    except MemoryError:
        return {"none": "MemoryError"}
    except BaseException as error:
        return {"none": type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def serve() -> None:
    """Answers requests until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr
    while line := sys.stdin.readline():
        asked = json.loads(line)
        if "smaller" in asked or "shapes" in asked:
            rows: list[object] = [shrink.smaller(item, part) for item, part in asked.get("smaller", ())]
            rows += [shrink.shape(item) for item in asked.get("shapes", ())]
            answers.write(json.dumps(rows) + "\n")
            answers.flush()
            continue
        if "draw" in asked:
            first, count = asked["draw"]
            programs = [draw.program(seed, asked["kinds"]) for seed in range(first, first + count)]
        else:
            programs = asked["run"]
        for items in programs:
            row = run(draw.source(items), asked["seconds"])
            row["items"] = items if "draw" in asked else None
            answers.write(json.dumps(row) + "\n")
            answers.flush()


def main() -> None:
    """Has a child serve, which costs less to make anew than all imports do, and says when one has died."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _stop)
    differ.warnings.simplefilter("ignore")
    while True:
        child = os.fork()
        if child == 0:
            serve()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            return
        os.write(1, b'\n{"died": true}\n')


if __name__ == "__main__":
    main()
