"""`azr train --dry-run`: what would happen, without a model's weights and without a run folder."""

import click

from azr.build import check
from azr.config import Config, dump_config
from azr.parts import make_task_kinds, make_template
from azr.rollouts import Tokenizer
from azr.rollouts.tokens import ByteTokenizer
from azr.sandbox import Sandbox
from azr.seed import identity_tasks
from azr.tasks.render import Renderer
from azr.trainer.model import load_tokenizer
from azr.types import Kind, Role


def show(config: Config) -> None:
    """Print the resolved config, the plan of a step and one prompt of each role and kind."""
    check(config)
    tokenizer: Tokenizer = ByteTokenizer() if config.engine.name == "scripted" else load_tokenizer(config.model)
    kinds = make_task_kinds(config)
    renderer = Renderer(make_template(config, tokenizer), kinds, tokenizer.encode, config.tasks.banned_imports)
    click.echo(dump_config(config))
    click.echo(plan(config))
    examples = {task.kind: task for task in identity_tasks(kinds, config.tasks.inputs, Sandbox())}
    for kind in config.tasks.kinds:
        source = examples[Kind.DEDUCTION] if kinds[kind].from_task else None
        references = () if source else (examples[kind],)
        prompts = (renderer.propose(kind, references, source), renderer.solve(examples[kind]))
        for role, prompt in zip(Role, prompts, strict=True):
            click.echo(f"--- {role} {kind}, {len(prompt.token_ids)} tokens ---\n{prompt.text}\n")


def plan(config: Config) -> str:
    """How much one step samples, runs and trains."""
    kinds, propose, solve = len(config.tasks.kinds), config.propose, config.solve
    proposals = kinds * propose.batch
    trials = proposals * solve.attempts
    answers = kinds * solve.batch * solve.answers
    trained = answers + (proposals if propose.train else 0) + (trials if solve.train_on_attempts else 0)
    return (
        f"One of {config.run.steps} steps: {proposals} proposals, up to {trials} attempts for solve rates, {answers}"
        f" answers; up to {trained} episodes trained in {config.train.updates} update(s)."
    )
