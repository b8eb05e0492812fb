"""Make a domain: a library, a verifier, seeds, and a run that trains on them.

Step through the cells, or run the file: python examples/steps/make_a_domain.py
"""
# ruff: noqa: T201

# %% A folder with a library that programs may import
import json
import tempfile
from pathlib import Path

from azr.config import load_config
from azr.config.overrides import in_folder
from azr.domains.check import load
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.tasks.common import check_rows
from azr.tasks.io import read_tasks

folder = Path(tempfile.mkdtemp()) / "ring"
folder.mkdir()
(folder / "ring.py").write_text(
    """SIZE = 12


def turn(place, steps):
    '''The place on a ring of twelve after some steps.'''
    return (place + steps) % SIZE
"""
)

# %% Seeds: tasks to start from. Outputs are not written down: the sandbox runs every line
turns = [f"from ring import turn\n\ndef f(a):\n    return turn(a, {steps})" for steps in (9, -3)]
seeds = [{"kind": "deduction", "program": turn, "inputs": ["5"]} for turn in turns]
(folder / "seeds.jsonl").write_text("".join(json.dumps(seed) + "\n" for seed in seeds))

# %% A verifier: near places earn a part
(folder / "verify.py").write_text(
    """def verify(task, answer):
    right = task["outputs"][0]
    if type(right) is not int or type(answer) is not int or not 0 <= answer < 12:
        return 1.0 if answer == right and type(answer) is type(right) else 0.0
    off = abs(answer - right)
    return max(0.0, 1 - min(off, 12 - off) / 3)
"""
)
(folder / "domain.toml").write_text(
    """name = "ring"
kinds = ["deduction"]
seeds = "seeds.jsonl"

[modules]
ring = "ring.py"

[verifier]
file = "verify.py"
kinds = ["deduction"]
"""
)

# %% Load it and try answers by hand
domain = load(folder)
task = read_tasks(folder / "seeds.jsonl", domain.kinds, domain.sandbox, "ring")[0]
kind = domain.kinds[task.kind]
print(task.program, "->", task.outputs[0].repr)
answers = ["2", "3", "8"]
for text, answer in zip(answers, check_rows(kind, domain.sandbox, [(task, text) for text in answers]), strict=True):
    print(text, round(answer.score, 2), answer.reason)

# %% A run on this domain alone, with a script in place of a model
(folder / "script.py").write_text(
    """def answer(prompt, draw):
    if prompt.role == "solve":
        return "I count. </think>\\n<answer>\\n```output\\n" + str(draw % 12) + "\\n```\\n</answer>"
    program = f"from ring import turn\\n\\ndef f(a):\\n    return turn(a, {draw % 40})"
    blocks = f"```python\\n{program}\\n```\\n\\n```input\\n{draw % 12}\\n```"
    return "A turn. </think>\\n<answer>\\n" + blocks + "\\n</answer>"
"""
)
(folder / "train.toml").write_text(
    """[engine]
name = "scripted"
script = "script.py:answer"

[[domains]]
path = "."

[propose]
batch = 4
[solve]
batch = 4
trials = 4
[seeding]
factor = 1
[run]
steps = 2
"""
)
done = start_run(in_folder(load_config(folder / "train.toml"), str(folder / "run")), Quiet(), lambda: False)
print("steps:", done.step)
