"""Self-play of a real small model: a warm-up on azr's form in a third of the time, then `azr train` in the rest.

A folder that is a warm-up already is taken as it is. The probe is of tasks that neither ever shows the model.
"""

import time
from pathlib import Path

from gpu_parts import train
from gpu_parts.place import ROOT, Figures, Part, Place, azr, run_until, settings

RECIPE = ROOT / "configs" / "recipes" / "smollm2-135m.toml"
HELD_OUT = "heldout.jsonl"
TOY_KINDS = 'tasks.kinds=["abduction","deduction"]'
GRACE = 60.0
"""Seconds for the last step and its checkpoint, at most."""


def left_out(place: Place) -> str:
    """It is no part of azr."""
    if place.smollm2 is None:
        return "no --smollm2 was given"
    return "" if place.smollm2.exists() else f"{place.smollm2} is not there"


def _ask(place: Place, end: float) -> Figures:
    assert place.smollm2 is not None, "else it is left out"
    begin, model = time.monotonic(), place.smollm2.resolve()
    found: Figures = {"model": place.smollm2.name}
    if not (model / HELD_OUT).exists():
        warm = place.folder / "warm"
        command = azr("warmup", "--config", RECIPE, "--model", model, "--run", warm, *settings(_warm_up(place)))
        run_until(command, begin + (end - begin) / 3, _grace(begin, end) / 3)
        found["warm_up"] = _looks(warm)
        model = warm
    played = place.folder / "self-play"
    command = azr("train", "--config", RECIPE, "--model", model, "--run", played, *settings(_play(place, model)))
    run_until(command, end, _grace(begin, end))
    return found | read(train.rows(played))


def _grace(begin: float, end: float) -> float:
    return min(GRACE, (end - begin) / 5)


def _warm_up(place: Place) -> list[str]:
    given = [f"model.device={place.device}", "run.keep_last=1"]
    if place.toy:
        given += ["warmup.examples=8", "warmup.batch=4", "warmup.rounds=1", "warmup.samples=1", TOY_KINDS]
        return [*given, "sampling.max_tokens=32", "engine.batch=16"]
    return [*given, "engine.batch=512", "train.micro_batch_tokens=32768"]


def _play(place: Place, model: Path) -> list[str]:
    given = [f"model.device={place.device}", f"evals.tasks={model / HELD_OUT}", "evals.grounded=none"]
    if place.toy:
        # Eight examples teach no model to propose, so its seeds are given.
        given += [f"seeding.path={ROOT / 'python/azr/evals/grounded.jsonl'}", TOY_KINDS, "run.steps=1", "evals.every=1"]
        given += ["evals.limit=2", "evals.samples=1", "sampling.max_tokens=32", "propose.batch=2", "solve.batch=2"]
        return [*given, "solve.trials=2", "engine.batch=16"]
    given += ["run.steps=10000", "evals.every=5", "evals.limit=100", "evals.samples=4", "run.save_every=1000"]
    given += ["propose.batch=48", "solve.batch=48", "seeding.factor=1", "run.keep_last=1"]
    return [*given, "engine.batch=512", "train.micro_batch_tokens=32768"]


def _looks(folder: Path) -> Figures:
    """What the model wrote before and after the warm-up."""
    found = train.rows(folder)
    shares = [
        {key.removeprefix("warmup/"): value for key, value in row.items() if key.endswith(("/valid", "/right"))}
        for row in found
    ]
    looked = [share for share in shares if share]
    return {"steps": found[-1]["step"] if found else 0, "looks": [looked[0], looked[-1]] if looked else []}


def read(found: list[Figures]) -> Figures:
    """The probe before, the last one after, and how much lay between.

    Raises:
        ValueError: the first probe is not there: too little time.
    """
    probes = [row for row in found if "probe/sampled" in row]
    if not probes:
        raise ValueError("there was no time for the first probe")
    first, last = probes[0], probes[-1]
    between = [row for row in found if first["step"] < row["step"] <= last["step"]]
    return {
        "before": _probe(first),
        "after": _probe(last) if between else None,
        "steps": last["step"],
        "seconds": round(sum(row.get("seconds/step", 0.0) for row in between), 1),
        "valid": sum(value for row in between for key, value in row.items() if _counts(key, "valid")),
        "proposals": sum(value for row in between for key, value in row.items() if _counts(key, "count")),
    }


def _probe(row: Figures) -> Figures:
    names = ("sampled", "greedy", "passed", "error", "tasks")
    return {"step": row["step"], **{name: round(row[f"probe/{name}"], 4) for name in names}}


def _counts(key: str, name: str) -> bool:
    return key.startswith("validate/propose/") and key.count("/") == 3 and key.endswith(f"/{name}")


PART = Part("smollm2", 150, 600, _ask, left_out)
