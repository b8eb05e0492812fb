"""START HERE: one step of self-play, and the loop around it.

    propose -> validate -> buffer -> solve -> reward -> update

The model proposes programs and inputs; the sandbox runs them and so makes tasks with known answers; the buffer keeps
what is new; the model answers tasks, the sandbox checks; both roles are rewarded and trained in one update.
"""

from collections.abc import Callable
from functools import partial

from azr.evals.probes import Probes, gap
from azr.metrics.reductions import Numbers
from azr.metrics.step import StepReport, measure
from azr.oversight.overseer import Overseer
from azr.pipeline.async_rollouts import Ahead, draw
from azr.pipeline.parts import Parts
from azr.pipeline.rollout_step import Rollouts, roll_out
from azr.pipeline.supervised import supervised
from azr.reward import reward
from azr.run.best import Move
from azr.run.checkpoint import Past, Saver
from azr.run.events import Observer, Stopwatch
from azr.run.folder import RunFolder
from azr.solve import solve
from azr.trainer.checkpoint import PREFIX
from azr.trainer.policy import Learnt, Policy
from azr.types import Episode, valids
from azr.update import learn, update


class Loop:
    """A run from its seed tasks to its last step."""

    def __init__(
        self,
        parts: Parts,
        policy: Policy,
        folder: RunFolder,
        observer: Observer,
        overseer: Overseer,
        ahead: Ahead | None = None,
        past: Past | None = None,
    ) -> None:
        """`ahead`: rollouts of the next step, which the checkpoint had already. `past`: what it knew of the steps."""
        self._parts = parts
        self._policy = policy
        self._folder = folder
        self._overseer = overseer
        self._observer = observer
        self._saved = policy.step
        self._saver = Saver(folder, policy, parts, observer.saved)
        self._probes = Probes(parts)
        self._ahead = ahead
        self._past = past or Past.of(parts.config, None)
        policy.rate = self._past.best.memory.rate
        self.ended_with: int | None = None
        """The step whose weights the run ended with, where they are not those of its last."""

    def step(self) -> StepReport:
        """One step. The solver's tasks are drawn before (`solve.lag`) or after the new tasks enter the buffer."""
        parts, step, config = self._parts, self._policy.step + 1, self._parts.config
        watch, overseer = Stopwatch(self._observer), self._overseer
        overseer.begin(step)

        # Propose, validate, buffer and solve share one queue.
        done, staleness = self._rollouts(step, watch)
        parts.store.record([(valid.task, valid.trials) for valid in valids(done.verdicts)], step)
        watch("oversee", lambda: overseer.proposed(step, done.verdicts))
        answers = done.answers
        if not config.solve.lag:
            tasks = parts.store.serve(step)
            answers = watch("solve", lambda: solve(parts, tasks, config.solve.answers, parts.sampling(step, "solve")))
        if config.solve.mix == "edge":
            parts.store.record([(row[0].task, row) for row in answers], step)
        earned = watch("reward", lambda: reward(parts, done.verdicts, answers, step))
        episodes = watch("oversee", lambda: overseer.answered(step, answers, earned))
        stored = {kind: parts.store.count(kind) for kind in config.tasks.kinds}
        tried = [*(valid.trials for valid in valids(done.verdicts)), *answers]
        examples: list[Episode] = []
        if config.train.supervised.examples:  # before the next step's rollouts: these add to the store
            examples = watch("supervise", lambda: supervised(parts, tried, step))
        ahead = self._begin_next(step)
        replayed = self._past.replay.draw(step)
        batch, stats = watch("update", lambda: update(self._policy, episodes, config, replayed))
        self._past.replay.note(tried)
        learnt = watch("supervise", lambda: learn(self._policy, examples)) if examples else Learnt()
        if ahead is not None:
            watch("wait", lambda: ahead.wait(self._observer.phase))
        watch("load", lambda: parts.engine.load(self._policy.model))

        return StepReport(
            step=step, verdicts=done.verdicts, answers=answers, batch=batch, stats=stats,
            seconds=watch.seconds, stored=stored, dropped=done.dropped, engine=parts.engine.numbers(),
            staleness=staleness, learnt=learnt,
        )  # fmt: skip

    def _rollouts(self, step: int, watch: Stopwatch) -> tuple[Rollouts, int]:
        """The step's rollouts, and their staleness."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            return ahead.wait(self._observer.phase), 1
        return roll_out(self._parts, step, draw(self._parts, step), watch), 0

    def _begin_next(self, step: int) -> Ahead | None:
        """Free the engine while the trainer works, or sample the next step (`engine.ahead`)."""
        config = self._parts.config
        if config.engine.ahead and step < config.run.steps:
            self._ahead = Ahead.start(self._parts, step + 1)
        else:
            self._parts.engine.rest()
        return self._ahead

    def run(self, should_stop: Callable[[], bool]) -> bool:
        """Run steps until the last one or `should_stop`, then save. Returns whether all steps are done."""
        config = self._parts.config
        self._saved = self._policy.step
        self._observer.started(self._saved, config.run.steps)
        goes_on = partial(self._overseer.goes_on, self.save, should_stop)
        try:
            while self._left() and not should_stop() and goes_on():
                report = self.step()
                self._hold(report.step, self._record(report))
                self._saver.poll()
                due = report.step % config.run.save_every == 0 or report.step == config.run.steps
                if due and self._saved != report.step:
                    self.save()
        except BaseException:
            if self._ahead is not None:
                self._ahead.abandon()
            raise
        if self._saved != self._policy.step:
            self.save()
        self._saver.finish()
        return not self._left()

    def begin(self) -> None:
        """Probe the weights that the run starts from, and save, so that there is always something to resume."""
        numbers = self._probe(0)
        self._overseer.begun(numbers)
        self._past.best.probed(0, numbers)
        self.save()

    def save(self) -> None:
        """Save a checkpoint of everything."""
        self._observer.phase("save")
        self._saver.save(self._overseer.state(), self._ahead, self._past)
        self._saved = self._policy.step

    def _left(self) -> bool:
        """Whether there is a step to do."""
        return self.ended_with is None and self._policy.step < self._parts.config.run.steps

    def _hold(self, step: int, numbers: Numbers) -> None:
        """Keep the weights if they are the best, or put those back (`evals.decline`)."""
        move = self._past.best.probed(step, numbers)
        if move is Move.NOTHING:
            return
        if move is not Move.KEEP:
            self._saver.finish()
            memory = self._past.best.memory
            self._policy.restore(self._folder.checkpoints / f"{PREFIX}{memory.step}")
            self._policy.step, self._policy.rate = step, memory.rate
            self._parts.engine.load(self._policy.model)
        if move is Move.STOP:
            self.ended_with = self._past.best.memory.step
        self.save()

    def _record(self, report: StepReport) -> Numbers:
        """Numbers and episodes of a step into the run folder, and to whoever watches."""
        config = self._parts.config
        numbers = measure(report, self._parts.ranks)
        last = report.step == config.run.steps
        if last or (config.evals.every and report.step % config.evals.every == 0):
            numbers |= self._probe(report.step)
            numbers |= gap(numbers)
        self._observer.stepped(report, self._overseer.stepped(report, numbers))
        return numbers

    def _probe(self, step: int) -> dict[str, float]:
        if not self._probes:
            return {}
        self._observer.phase("probe")
        numbers = self._probes.measure(ends=step in (0, self._parts.config.run.steps))
        self._observer.probed(step, numbers)
        return numbers
