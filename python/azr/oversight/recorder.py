"""Writes a run's metrics, completions and alarms."""

import contextlib
from collections.abc import Sequence

from azr.config import Config
from azr.metrics.step import Numbers, StepReport
from azr.oversight.base import Alarm
from azr.oversight.rows import NO_FLAGS, Flags, rows_of, rows_of_seeds
from azr.oversight.sinks import make_sinks
from azr.oversight.traces import TraceWriter
from azr.run.folder import ALARMS, METRICS, TRACES, RunFolder
from azr.types import Rejected, Valid


class Recorder:
    """Appends to the files of a run folder. Made after the folder was truncated to the checkpoint of a resumed run."""

    def __init__(self, folder: RunFolder, config: Config, step: int) -> None:
        self._folder = folder
        self._config = config
        self._open = contextlib.ExitStack()
        self._trace = self._open.enter_context(TraceWriter(folder.path / TRACES))
        self._sinks = [
            self._open.enter_context(contextlib.closing(sink)) for sink in make_sinks(config, folder.path, step)
        ]

    def begin(self, numbers: Numbers) -> None:
        """Metrics of the starting weights."""
        self._numbers(0, numbers)

    def seeds(self, verdicts: Sequence[Valid | Rejected], alarms: Sequence[Alarm], flags: Flags) -> None:
        """The proposals of seed tasks, and their findings."""
        self._trace.append(rows_of_seeds(verdicts, self._config.run.trace_rate, self._config.seed, flags))
        self._alarms(alarms)

    def step(self, report: StepReport, numbers: Numbers, alarms: Sequence[Alarm] = (), flags: Flags = NO_FLAGS) -> None:
        """A step's numbers, completions and alarms."""
        self._numbers(report.step, numbers)
        self.broken(report, alarms, flags)

    def broken(self, report: StepReport, alarms: Sequence[Alarm] = (), flags: Flags = NO_FLAGS) -> None:
        """Completions and alarms of a step that did not finish, and so has no metrics."""
        self._trace.append(rows_of(report, self._config.run.trace_rate, self._config.seed, flags))
        self._alarms(alarms)

    def close(self) -> None:
        """Close the files."""
        self._open.close()

    def _alarms(self, alarms: Sequence[Alarm]) -> None:
        if alarms:
            self._folder.append(ALARMS, [alarm.row() for alarm in alarms])

    def _numbers(self, step: int, numbers: Numbers) -> None:
        self._folder.append(METRICS, [{"step": step, **numbers}])
        for sink in self._sinks:
            sink.write(step, numbers)


class SilentRecorder(Recorder):
    """For ranks other than 0, which write nothing."""

    def __init__(self) -> None: ...

    def begin(self, numbers: Numbers) -> None: ...

    def seeds(self, verdicts: Sequence[Valid | Rejected], alarms: Sequence[Alarm], flags: Flags) -> None: ...

    def step(
        self, report: StepReport, numbers: Numbers, alarms: Sequence[Alarm] = (), flags: Flags = NO_FLAGS
    ) -> None: ...

    def broken(self, report: StepReport, alarms: Sequence[Alarm] = (), flags: Flags = NO_FLAGS) -> None: ...

    def close(self) -> None: ...
