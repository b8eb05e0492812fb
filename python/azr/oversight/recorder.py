"""What a run writes down: numbers, completions, alarms."""

from azr.config import Config
from azr.metrics import Numbers, StepReport
from azr.oversight.rows import rows_of
from azr.oversight.traces import TraceWriter
from azr.run import METRICS, TRACES, RunFolder


class Recorder:
    """The files of a run folder that grow. Made after the folder was cut to the checkpoint that a run goes on from."""

    def __init__(self, folder: RunFolder, config: Config) -> None:
        self._folder = folder
        self._config = config
        self._trace = TraceWriter(folder.path / TRACES)

    def begin(self, numbers: Numbers) -> None:
        """The numbers of the weights that the run starts from."""
        self._folder.append(METRICS, [{"step": 0, **numbers}])

    def step(self, report: StepReport, numbers: Numbers) -> None:
        """A step's numbers and completions."""
        self._folder.append(METRICS, [{"step": report.step, **numbers}])
        self._trace.append(rows_of(report, self._config.run.trace_rate, self._config.seed))

    def close(self) -> None:
        """Let go of the files."""
        self._trace.close()
