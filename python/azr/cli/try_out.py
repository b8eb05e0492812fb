"""`azr train --try`: one pass of each role and kind, with every prompt, completion and verdict shown."""

import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import click

from azr.config import Config
from azr.errors import ConfigError
from azr.pipeline.build import assemble, check, make_engine
from azr.pipeline.context import fit
from azr.pipeline.parts import Parts
from azr.propose import ask, propose_prompts
from azr.run.seed import starting_tasks
from azr.solve import check as checked
from azr.types import Attempt, Completion, Kind, Prompt, Rejected, Task, Valid
from azr.util.sanitize import visible
from azr.validate import validate

SHOWN = 4
"""Proposals, and answers, of each kind."""
CHARACTERS = 4000


def try_out(config: Config) -> None:
    """Sample a few proposals and answers of each kind, and print what became of them. Nothing is trained or kept.

    Raises:
        ConfigError: the engine is scripted: there is no model to try.
    """
    if config.engine.name == "scripted":
        raise ConfigError("--try shows what a model writes; engine.name is scripted")
    check(config)
    click.echo(f"loading {config.model.name}", err=True)
    engine, policy = make_engine(config)
    with tempfile.TemporaryDirectory() as folder, closing(engine):
        assert policy.model is not None
        config, note = fit(config, int(getattr(policy.model.config, "max_position_embeddings", 0)))
        if note:
            click.echo(note, err=True)
        parts = assemble(config, engine, Path(folder))
        with closing(parts.store):
            tasks = starting_tasks(parts.domains, parts.kinds, config.tasks.inputs, parts.sandbox)
            parts.store.add(tasks)
            for kind in config.tasks.kinds:
                _propose(parts, kind)
                _solve(parts, kind, [task for task in tasks if task.kind is kind][:1])


def _propose(parts: Parts, kind: Kind) -> None:
    prompts = propose_prompts(parts, kind, 0, "try")[:SHOWN]
    _show(f"propose {kind}", prompts[:1])
    verdicts = validate(parts, ask(parts, prompts, 0, "try"), 0)
    for verdict in verdicts:
        _completion(verdict.proposal.completion, _verdict(verdict))
    valid = sum(isinstance(verdict, Valid) for verdict in verdicts)
    click.echo(f"== {kind}: {valid} of {len(verdicts)} proposals are valid tasks\n")


def _solve(parts: Parts, kind: Kind, tasks: list[Task]) -> None:
    if not tasks:
        click.echo(f"== {kind}: no task to solve before a model has made one\n")
        return
    prompts = [parts.renderer.solve(task) for task in tasks]
    _show(f"solve {kind}", prompts)
    (completions,) = parts.engine.sample(prompts, parts.sampling(0, f"try/{kind}"), SHOWN)
    attempts = checked(parts, completions)
    for attempt in attempts:
        _completion(attempt.completion, _answer(attempt))
    click.echo(f"== {kind}: {sum(attempt.correct for attempt in attempts)} of {len(attempts)} answers are right\n")


def _show(what: str, prompts: Iterable[Prompt]) -> None:
    for prompt in prompts:
        click.echo(f"---- prompt: {what}, {len(prompt.token_ids)} tokens ----\n{visible(prompt.text, CHARACTERS)}")


def _completion(completion: Completion, verdict: str) -> None:
    end = "" if completion.finished else ", cut at its length limit"
    click.echo(f"---- completion, {len(completion.token_ids)} tokens{end} ----\n{visible(completion.text, CHARACTERS)}")
    click.echo(f"---- verdict: {verdict}")


def _verdict(verdict: Valid | Rejected) -> str:
    if isinstance(verdict, Valid):
        return "a valid task"
    return visible(f"{verdict.reason}: {verdict.detail}" if verdict.detail else str(verdict.reason), 400)


def _answer(attempt: Attempt) -> str:
    return "right" if attempt.correct else f"wrong ({attempt.reason})" if attempt.reason else "wrong"
