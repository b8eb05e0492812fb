"""Look at a run: its numbers, its tasks, its completions. Step through the cells, or run the file.

    python examples/steps/look_at_a_run.py [RUN]

Without RUN it makes a small one with a script in place of a model.
"""
# ruff: noqa: T201

# %% A run to look at
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from azr.buffer.client import TaskBuffer
from azr.config import resolve
from azr.config.overrides import in_folder
from azr.oversight.traces import TraceReader
from azr.run.events import Quiet
from azr.run.train import start_run

if len(sys.argv) > 1 and Path(sys.argv[1]).is_dir():
    run = Path(sys.argv[1])
else:
    run = Path(tempfile.mkdtemp()) / "run"
    settings = ["engine.name=scripted", "engine.script=azr.rollouts.demo:answer", "propose.batch=4", "solve.batch=4"]
    start_run(in_folder(resolve({}, [*settings, "run.steps=3"]), str(run)), Quiet(), lambda: False)
print(sorted(path.name for path in run.iterdir()))

# %% The numbers of each step: names are explained in docs/metrics.md
rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
for row in rows[1:]:
    print(row["step"], {name: value for name, value in row.items() if name.endswith("/valid_rate")})

# %% The tasks: programs that the sandbox ran, with their outputs
buffer = TaskBuffer.open(run / "buffer", access="read")
tasks = buffer.get([int(number) for kind in ("deduction", "abduction") for number in buffer.ids(kind)])
buffer.close()
newest = max(tasks, key=lambda task: task.step)
print(f"{len(tasks)} tasks; the newest, of step {newest.step}:")
print(newest.program)
print(f"f({newest.inputs[0]}) = {newest.outputs[0].repr}")

# %% The completions: what the model wrote, and what it earned
traces = list(TraceReader(run / "traces.jsonl.zst"))
print(len(traces), "completions:", Counter(row["verdict"] for row in traces).most_common(3))
trained = [row for row in traces if row["role"] == "solve" and row["reward"] is not None]
best = max(trained, key=lambda row: row["reward"])
print(best["completion"])
