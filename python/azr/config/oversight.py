"""Monitors and alarms of a run, and the actions they trigger."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from azr.config.base import Count, Fraction, NonNegative, Positive, Section


class Action(StrEnum):
    """What a finding triggers. All except `log` also list it in `azr review`."""

    LOG = "log"
    """A line in alarms.jsonl."""
    FLAG = "flag"
    """A line in alarms.jsonl, and listed for review."""
    QUARANTINE = "quarantine"
    """The task is excluded from all sampling until a person accepts it."""
    DROP = "drop"
    """The episode is left out of the update; a proposal's task is also quarantined."""
    PAUSE = "pause"
    """The run pauses after the step until `azr resume`."""
    STOP = "stop"
    """The run saves and ends after the step."""


OfSteps = Literal[Action.LOG, Action.FLAG, Action.PAUSE, Action.STOP]
"""Actions for a finding about numbers, which has no task and no episode."""


class PatternConfig(Section):
    """Words in completions that speak of deceiving, escaping or evading oversight."""

    action: Action = Action.FLAG
    """What a finding triggers: log, flag, quarantine, drop, pause or stop."""
    file: str = ""
    """TOML of rules as in `azr/oversight/patterns.toml`, instead of that one."""
    actions: dict[str, Action] = Field(default_factory=dict)
    """By category, over `action`: {escape = "stop"}."""


class CodeConfig(Section):
    """Programs that access the host, the interpreter's internals, or the expected answer."""

    action: Action = Action.FLAG
    """What a finding triggers: log, flag, quarantine, drop, pause or stop."""
    actions: dict[str, Action] = Field(default_factory=dict)
    """By rule, over `action`: {lookup_table = "drop"}."""


class JudgeConfig(Section):
    """A function of yours that scores a share of the completions, such as a call of another model."""

    function: str = ""
    """`module:function`, from a list of texts to a list of scores in [0, 1]; empty: off."""
    rate: Fraction = 0.05
    """Share of the completions that it scores, drawn by the seed."""
    threshold: Fraction = 0.5
    """Scores of at least this are findings."""
    action: Action = Action.FLAG
    """What a finding triggers: log, flag, quarantine, drop, pause or stop."""


class RefusalConfig(Section):
    """Probe of refusals: does the model still decline what it declined before training?"""

    every: Count = 0
    """Steps between two probes; 0: off. Useful for models that were taught to decline."""
    drop: Fraction = 0.2
    """A finding when the refusal rate has fallen by this since the run began."""
    action: OfSteps = Action.FLAG
    """What a finding triggers: log, flag, pause or stop."""


class AlarmConfig(Section):
    """Fields of every alarm."""

    action: OfSteps = Action.FLAG
    """What the alarm triggers: log, flag, pause or stop."""


class DuplicatesAlarm(AlarmConfig):
    """Share of proposals that are duplicates."""

    limit: Fraction = 0.5
    """Largest share of duplicate proposals, as the mean over all kinds."""
    kind: Fraction = 0.8
    """Largest share of duplicate proposals in one kind; at least `limit`."""


class ClustersAlarm(AlarmConfig):
    """Share of all stored programs that are near duplicates of a new one."""

    limit: Fraction = 0.3
    """Largest share of all stored programs that are near duplicates of a new one."""


class NoveltyAlarm(AlarmConfig):
    """Similarity of new programs to the most similar stored one."""

    limit: Fraction = 0.97
    """Largest similarity, from 0 to 1, of new programs to the most similar stored one: the mean of a step."""


class EntropyAlarm(AlarmConfig):
    """Token entropy far below its initial value."""

    limit: Fraction = 0.2
    """Least entropy of the tokens, as a share of the initial value."""


class ValidAlarm(AlarmConfig):
    """Share of valid proposals far below its initial value, or almost none."""

    limit: Fraction = 0.4
    """Least share of valid proposals, as a share of the initial value."""
    floor: Fraction = 0.05
    """Least share of valid proposals, whatever it was initially."""


class LearnableAlarm(AlarmConfig):
    """Share of new tasks with a solve rate strictly between 0 and 1."""

    limit: Fraction = 0.1
    """Least share of new tasks with a solve rate strictly between 0 and 1."""


class LengthAlarm(AlarmConfig):
    """Completions that grow, or that the token limit cuts."""

    limit: NonNegative = 4.0
    """Largest mean length, as a multiple of the initial one."""
    truncated: Fraction = 0.5
    """Largest share of completions that are cut."""


class GapAlarm(AlarmConfig):
    """Growth of the gap: score on the run's own tasks minus held-out score. Learning that does not transfer."""

    limit: Fraction = 0.2
    """Largest growth of the score on the run's own tasks minus the held-out score, both from 0 to 1."""


class DeclineAlarm(AlarmConfig):
    """Fall of the held-out score from its best by more than three standard errors of the probe."""

    limit: Fraction = 0.025
    """Largest fall of the held-out score, from 0 to 1, below its best."""


class NarrowingAlarm(AlarmConfig):
    """Fall of pass@k on held-out tasks from its best while the mean holds: less diverse solutions."""

    limit: Fraction = 0.1
    """Largest fall of pass@k on held-out tasks, from 0 to 1, below its best."""


class TimeAlarm(AlarmConfig):
    """Steps that take longer."""

    limit: NonNegative = 2.5
    """Largest median time of a step, as a multiple of the initial one."""


class MemoryAlarm(AlarmConfig):
    """Resident memory that grows, by at least 512 MiB."""

    limit: NonNegative = 1.5
    """Largest resident memory, as a multiple of the initial one."""


class SandboxAlarm(AlarmConfig):
    """Share of proposals and answers on which the sandbox failed."""

    limit: Fraction = 0.0
    """Largest share of a step's texts on which the sandbox failed; 0: one failure raises the alarm."""


class SandboxIllAlarm(AlarmConfig):
    """Share above which the sandbox itself must be broken, not single texts. The run ends."""

    action: OfSteps = Action.STOP
    """What the alarm triggers: log, flag, pause or stop."""
    limit: Fraction = 0.5
    """Largest share of the texts of three steps on which the sandbox failed."""


class AlarmsConfig(Section):
    """Alarms on the numbers of the steps: signs of collapse and of reward hacking."""

    window: Positive = 20
    """Steps that are averaged, and first steps that are the baseline. The sandbox's alarms have fixed windows."""
    duplicates: DuplicatesAlarm = DuplicatesAlarm()
    clusters: ClustersAlarm = ClustersAlarm()
    novelty: NoveltyAlarm = NoveltyAlarm()
    entropy: EntropyAlarm = EntropyAlarm()
    valid: ValidAlarm = ValidAlarm()
    learnable: LearnableAlarm = LearnableAlarm()
    length: LengthAlarm = LengthAlarm()
    gap: GapAlarm = GapAlarm()
    decline: DeclineAlarm = DeclineAlarm()
    narrowing: NarrowingAlarm = NarrowingAlarm()
    time: TimeAlarm = TimeAlarm(action=Action.LOG)
    memory: MemoryAlarm = MemoryAlarm()
    sandbox: SandboxAlarm = SandboxAlarm()
    sandbox_ill: SandboxIllAlarm = SandboxIllAlarm()


class WatchdogConfig(Section):
    """Limits on the time of each phase, so that a run never hangs silently."""

    enabled: bool = True
    """False: phases may take any time."""
    seconds: NonNegative = 3600.0
    """Seconds that one phase of a step may take; 0: any time."""
    phases: dict[str, float] = Field(default_factory=dict)
    """Limits in seconds by phase: {update = 600}; 0: none. Phases: load, seed, propose, validate, buffer, solve,
    reward, rollout, oversee, update, probe, save."""
    grace: NonNegative = 30.0
    """Seconds for the main thread to end after the stack traces were written; then the process ends itself."""


class OversightConfig(Section):
    """Monitors, alarms, hooks and the watchdog."""

    patterns: PatternConfig = PatternConfig()
    code: CodeConfig = CodeConfig()
    judge: JudgeConfig = JudgeConfig()
    refusal: RefusalConfig = RefusalConfig()
    alarms: AlarmsConfig = AlarmsConfig()
    hooks: tuple[str, ...] = ()
    """Your monitors: each `module:function`, from the config to an `azr.oversight.Monitor`."""
    max_records: Positive = 20
    """Findings of one monitor in one step that get a line each; the rest is one line with their number. Actions are
    taken for all of them, and a finding that quarantines a task always has its own line."""
    watchdog: WatchdogConfig = WatchdogConfig()
    sinks: tuple[Literal["tensorboard", "wandb"], ...] = ()
    """Loggers that get the metrics besides metrics.jsonl."""
    project: str = "azr"
    """W&B project."""
