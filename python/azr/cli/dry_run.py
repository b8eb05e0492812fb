"""`azr train --dry-run`: the plan of a run, without loading weights or making a run folder."""

from collections.abc import Sequence
from functools import partial

import click

from azr.config import Config, dump_config
from azr.config.mixture import shares
from azr.pipeline.build import check, make_sandbox
from azr.pipeline.parts import all_kinds, make_domains, make_renderer
from azr.rollouts import Tokenizer
from azr.rollouts.tokens import ByteTokenizer
from azr.run.seed import starting_tasks
from azr.tasks.render import Renderer
from azr.trainer.model import load_tokenizer
from azr.types import Kind, Prompt, Role, Task
from azr.warmup.examples import worked_examples


def show(config: Config) -> None:
    """Print the resolved config, the plan of a step and one prompt of each role and kind."""
    check(config)
    tokenizer: Tokenizer = ByteTokenizer() if config.engine.name == "scripted" else load_tokenizer(config.model)
    domains = make_domains(config, partial(make_sandbox, config))
    kinds = all_kinds(config, domains)
    sandbox = make_sandbox(config)
    renderer = make_renderer(config, tokenizer, domains, worked_examples(config, kinds, sandbox))
    click.echo(dump_config(config))
    click.echo(plan(config))
    tasks = starting_tasks(domains, kinds, config.tasks.inputs, sandbox)
    for kind in config.tasks.kinds:
        for role, prompt in zip(Role, examples(renderer, kind, kinds[kind].from_task, tasks), strict=False):
            click.echo(f"--- {role} {kind}, {len(prompt.token_ids)} tokens ---\n{prompt.text}\n")


def examples(renderer: Renderer, kind: Kind, from_task: bool, tasks: Sequence[Task]) -> list[Prompt]:
    """A propose prompt and, where there is a task of the kind, a solve prompt."""
    own = [task for task in tasks if task.kind is kind][:1]
    pool = [task for task in tasks if task.kind.domain == kind.domain and task.kind is not kind]
    if from_task and not (pool or own):
        return []  # only seed tasks from the model can show one
    source = (pool or own)[0] if from_task else None
    asked = renderer.propose(kind, () if from_task else own, source)
    return [asked, *(renderer.solve(task) for task in own)]


def plan(config: Config) -> str:
    """How much one step samples, runs and trains."""
    propose, solve, share = config.propose, config.solve, shares(config)
    proposals = sum(share.proposals.values())
    trials = proposals * solve.trials
    answers = sum(share.answers.values()) * solve.answers
    trained = answers + (proposals if propose.train else 0) + (trials if solve.train_on_trials else 0)
    return (
        f"One of {config.run.steps} steps: {proposals} proposals, up to {trials} attempts for solve rates, {answers}"
        f" answers; up to {trained} episodes trained in {config.train.updates} update(s)."
    )
