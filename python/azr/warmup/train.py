"""Rounds of supervised steps on verified examples, each followed by a look at what the model then writes.

A step is the trainer's own update with an advantage of 1 for every token: its loss is the cross-entropy, and adapters,
precision, checkpoints and engines are those of self-play. A round's examples are a function of the seed and its number,
so a warm-up that was stopped goes on where it was.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from azr.buffer.curriculum import POOLED
from azr.config import Config
from azr.config.schema import SamplingConfig, SupervisedConfig
from azr.pipeline.build import assemble, check, make_engine
from azr.pipeline.context import fit
from azr.pipeline.parts import Parts
from azr.propose import ask, propose_prompts
from azr.rollouts.base import Tokenizer
from azr.run.folder import METRICS, RunFolder
from azr.run.seed import identity_tasks
from azr.solve import solve
from azr.tasks.io import write_tasks
from azr.trainer import checkpoint
from azr.trainer.policy import Policy
from azr.types import Batch, Completion, Episode, Kind, Rejected, Valid
from azr.util.randomness import generator
from azr.validate import validate
from azr.warmup.examples import Example, draw_tasks, examples, refuse_others

STATE = "warmup.json"
LR_STEPS = 10
"""Optimizer steps until the learning rate is reached."""
HELD_OUT = "heldout.jsonl"
"""In the folder: tasks that no example shows, for `evals.tasks`."""
HELD_OUT_TASKS = 100
"""Of each kind."""
SHOWN = 16
"""Tasks of each kind that propose prompts show in samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What the model writes after a round, as shares of the samples of one kind."""

    readable: float
    """Proposals that could be read."""
    valid: float
    """Proposals that are tasks, as the sandbox found."""
    answered: float
    """Answers that could be read."""
    right: float
    """Answers that are right."""
    reasons: Mapping[str, int]
    """Why the other proposals are no tasks."""


class Watch(Protocol):
    """Observer of a warm-up."""

    def loaded(self, note: str) -> None: ...

    def learnt(self, turn: int, step: int, of: int, loss: float, tokens: int, seconds: float) -> None:
        """A step of a round's, with its tokens of prompts and completions."""
        ...

    def sampled(self, tokens: int) -> None: ...

    def looks(self, turn: int) -> None: ...

    def looked(self, turn: int, shares: Mapping[Kind, Shares], enough: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a warm-up ended."""

    folder: Path
    step: int
    shares: Mapping[str, Any]
    """Of the last look."""
    enough: bool
    stopped: bool
    """It was asked to stop, and can go on."""


def warm_up(folder: RunFolder, watch: Watch, should_stop: Callable[[], bool]) -> Outcome:
    """Warm up in a folder, from its last checkpoint if it has one.

    Raises:
        ConfigError: kinds of a domain, of which azr makes no tasks by itself.
    """
    config = folder.config
    check(config)
    refuse_others(config, "azr warmup")
    engine, policy = make_engine(supervised(config))
    assert policy.model is not None
    config, note = fit(config, int(getattr(policy.model.config, "max_position_embeddings", 0)))
    watch.loaded(note)
    _remember(policy.model, config)
    with closing(engine):
        parts = assemble(config, engine, folder.buffer, 0)  # what prompts show is drawn anew
        with closing(parts.store):
            return _Rounds(parts, policy, folder, watch).run(should_stop)


def supervised(config: Config) -> Config:
    """The config with a trainer whose update is a supervised step."""
    given, train = config.warmup, config.train
    optim = train.optim.model_copy(update={"lr": given.lr, "schedule": "constant", "warmup_steps": LR_STEPS})
    loss = train.loss.model_copy(
        update={"name": "reinforce", "entropy": 0.0, "kl": 0.0, "follow": 0.0, "aggregation": "token_mean"}
    )
    fresh: dict[str, Any] = {
        "supervised": SupervisedConfig(),
        "updates": 1,
        "reset_every": 0,
        "replay": 0,
        "old_log_probs": "recompute",
    }
    train = train.model_copy(
        update={"optim": optim, "loss": loss, "mismatch": train.mismatch.model_copy(update={"name": "none"}), **fresh}
        | {"supervised": SupervisedConfig()}
    )
    # The loss is of the plain distribution, whatever temperature is sampled at later.
    plain = SamplingConfig(max_tokens=config.sampling.longest)
    return config.model_copy(update={"train": train, "sampling": plain})


def _remember(model: Any, config: Config) -> None:
    """Which prompts the model is made for, in its own config: a run that starts from it takes the same."""
    from azr.config.lineage import template_of

    template = config.prompt.template
    model.config.azr_template = template_of(config.model.name) if template == "auto" else template
    model.config.azr_prompt = {"words": config.prompt.words, "opening": config.prompt.opening}


class _Stopped(Exception):
    """It should stop while it samples."""


class _Rounds:
    """The state of a warm-up."""

    def __init__(self, parts: Parts, policy: Policy, folder: RunFolder, watch: Watch) -> None:
        self._parts, self._policy, self._folder, self._watch = parts, policy, folder, watch
        self._config = parts.config
        self._steps = -(-self._config.warmup.examples // self._config.warmup.batch)
        """Optimizer steps of a round."""
        self._shares: dict[str, Any] = {}
        self._enough = False
        self._looked = -1
        """The last round after which it looked; 0: before the first; -1: not yet."""
        self._resume()
        wanted = dict.fromkeys(self._config.tasks.kinds, HELD_OUT_TASKS)
        drawn = self._drawn("heldout", wanted, held_out=True)
        self._held_out = [task for kind in wanted for task in drawn[kind]]
        if not (folder.path / HELD_OUT).exists():
            write_tasks(folder.path / HELD_OUT, self._held_out)
        shown = self._drawn("shown", dict.fromkeys(self._config.tasks.kinds, SHOWN))
        identity = identity_tasks(parts.kinds, self._config.tasks.inputs, parts.sandbox)
        own = {*self._config.tasks.kinds, *POOLED}
        begun = [task for task in identity if task.kind in own]
        parts.store.add([*begun, *(task for kind in wanted for task in shown[kind])])

    def run(self, should_stop: Callable[[], bool]) -> Outcome:
        """Rounds until there is enough, or it should stop, or all are done."""
        rounds = self._config.warmup.rounds
        with suppress(_Stopped):
            while not self._enough and not should_stop():
                turn, done = divmod(self._policy.step, self._steps)
                if done == 0 and self._looked < turn:
                    self._look(turn, should_stop)
                elif turn < rounds:
                    self._learn(should_stop)
                else:
                    break
                self._save()
        return Outcome(
            folder=self._folder.path,
            step=self._policy.step,
            shares=self._shares,
            enough=self._enough,
            stopped=not self._enough and self._looked < rounds,
        )

    def _learn(self, should_stop: Callable[[], bool]) -> None:
        """The rest of a round's steps."""
        turn, done = divmod(self._policy.step, self._steps)
        batches = self._batches(turn)
        for at in range(done, len(batches)):
            began = time.monotonic()
            stats = self._policy.update(batch_of(batches[at], self._parts.engine.tokenizer))
            tokens = sum(len(each.prompt.token_ids) for each in batches[at]) + stats.tokens
            row = {"step": self._policy.step, "warmup/loss": stats.loss, "warmup/tokens": tokens}
            self._folder.append(METRICS, [row])
            self._watch.learnt(turn + 1, at + 1, len(batches), stats.loss, tokens, time.monotonic() - began)
            if should_stop():
                return
            if self._policy.step % self._config.run.save_every == 0 and at + 1 < len(batches):
                self._save()

    def _batches(self, turn: int) -> list[list[Example]]:
        """A round's examples in batches, in random order."""
        given = self._config.warmup
        kinds = self._config.tasks.kinds
        each = -(-given.examples // (2 * len(kinds)))
        tasks = self._drawn(f"round/{turn}", dict.fromkeys(kinds, each))
        rng = generator(self._config.seed, turn, "warmup")
        parts, references = self._parts, self._config.propose.references
        made = list(examples(tasks, parts.renderer, parts.kinds, references, rng))
        longest = self._config.prompt.max_tokens
        fitting = [example for example in made if len(example.prompt.token_ids) <= longest]
        order = rng.permutation(len(fitting))
        size = -(-len(fitting) // self._steps)
        return [[fitting[i] for i in order[at : at + size]] for at in range(0, len(fitting), size)]

    def _drawn(self, purpose: str, wanted: Mapping[Kind, int], held_out: bool = False) -> dict[Kind, list[Any]]:
        parts = self._parts
        return draw_tasks(
            self._config.seed, purpose, wanted, parts.kinds, parts.sandbox, self._config.tasks.inputs, held_out=held_out
        )

    def _look(self, turn: int, should_stop: Callable[[], bool]) -> None:
        """Sample proposals, and answers to held-out tasks, and see what they are worth."""

        def pulse(tokens: int) -> None:
            self._watch.sampled(tokens)
            if should_stop():
                raise _Stopped

        self._watch.looks(turn)
        self._parts.engine.watch(pulse)
        self._parts.engine.load(self._policy.model)
        found = {kind: self._look_at(kind, turn) for kind in self._config.tasks.kinds}
        self._enough = turn > 0 and is_enough(list(found.values()), self._config.warmup.enough)
        self._looked = turn
        self._shares = {
            f"warmup/{kind}/{name}": value
            for kind, each in found.items()
            for name, value in [*((name, getattr(each, name)) for name in NAMES), *_reasons(each)]
        }
        self._folder.append(METRICS, [{"step": self._policy.step, **self._shares}])
        self._watch.looked(turn, found, self._enough)

    def _look_at(self, kind: Kind, turn: int) -> Shares:
        count = self._config.warmup.samples
        propose = self._config.propose.model_copy(update={"batch": count})
        wide = replace(self._parts, config=self._config.model_copy(update={"propose": propose}))
        prompts = propose_prompts(wide, kind, turn, "warmup")
        verdicts = validate(self._parts, ask(self._parts, prompts, turn, f"warmup/{kind}"), 0)
        tasks = [task for task in self._held_out if task.kind is kind][:count]
        sampling = self._parts.sampling(turn, f"warmup/solve/{kind}")
        attempts = [attempt for (attempt,) in solve(self._parts, tasks, 1, sampling)]
        reasons = Counter(
            v.detail.partition(":")[0] if v.reason == "unparseable" else str(v.reason)
            for v in verdicts
            if isinstance(v, Rejected)
        )
        return Shares(
            readable=float(np.mean([not isinstance(v, Rejected) or v.reason != "unparseable" for v in verdicts])),
            valid=float(np.mean([isinstance(v, Valid) for v in verdicts])),
            answered=float(np.mean([a.text is not None for a in attempts])),
            right=float(np.mean([a.correct for a in attempts])),
            reasons=dict(reasons),
        )

    def _save(self) -> None:
        state = {"looked": self._looked, "enough": self._enough, "shares": self._shares, "sizes": self._folder.sizes()}

        def fill(folder: Path) -> None:
            self._policy.save(folder)
            (folder / STATE).write_text(json.dumps(state), "ascii")

        checkpoint.write(self._folder.checkpoints, self._policy.step, fill)
        checkpoint.prune(self._folder.checkpoints, 1, 0)

    def _resume(self) -> None:
        path = checkpoint.newest(self._folder.checkpoints)
        if path is None:
            self._folder.cut({})
            return
        checkpoint.verify(path)
        state = json.loads((path / STATE).read_text("ascii"))
        self._policy.restore(path)
        self._looked, self._enough, self._shares = state["looked"], state["enough"], state["shares"]
        self._folder.cut(state["sizes"])


NAMES = ("readable", "valid", "answered", "right")


def is_enough(found: Sequence[Shares], least: float) -> bool:
    """Whether the kinds have `least` in the mean, each of them at least half of it.

    One kind's share of 16 samples has a standard error of 12%: asked of each alone, rounds go on by chance.
    """
    shares = [[each.valid for each in found], [each.answered for each in found]]
    return all(sum(kinds) >= least * len(kinds) and min(kinds) >= least / 2 for kinds in shares)


def _reasons(shares: Shares) -> list[tuple[str, float]]:
    return [(f"rejected/{reason}", float(count)) for reason, count in shares.reasons.items()]


def batch_of(batch: Sequence[Example], tokenizer: Tokenizer) -> Batch:
    """Examples as episodes whose every token is worth the same."""
    episodes = []
    for number, example in enumerate(batch):
        ids = (*tokenizer.encode(example.completion, False), tokenizer.end_id)
        done = Completion.unsampled(example.prompt, example.completion, ids)
        episodes.append(Episode(completion=done, reward=1.0, group=number))
    tokens = sum(episode.length for episode in episodes)
    return Batch(
        episodes=tuple(episodes), advantages=np.ones(len(episodes)), weights=np.full(len(episodes), 1.0 / tokens)
    )
