"""The card of a data set: its README.md, with the header that the Hugging Face hub reads."""

import json
from collections import Counter
from collections.abc import Mapping

from azr.collection.publish import EQUAL, Written
from azr.util.sanitize import one_line

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""The hub's names of sizes, by the first number of rows that is too large."""
DIFFICULTIES = ("unsolved", "hard", "medium", "easy", "always solved", "untried")
COLUMNS = {
    "id": "names the task by its content",
    "prompt": "one user message that asks for the answer",
    "task": "the task with its answer, as text that `azr.grading` scores completions by; keep it from the model",
    "kind": "deduction: find the output; abduction: find an input; induction: find the program",
    "program, inputs, outputs, message": "the task's parts, for people",
    "solve_rate, attempts": "mean score of the attempts at it when it was last tried",
    "difficulty": "by thirds of the solve rate",
    "origin, model, step, azr": "seed or proposed; by which model, in which step; verified by which version of azr",
    "license": "of the row",
    "overlap, overlap_row, overlap_similarity": "with the benchmarks named below; null: not looked for",
    "repeat, repeat_of, repeat_similarity": "of an earlier row: near, or program (the same, asked otherwise)",
    "data_source, ability, reward_model, extra_info": "what verl reads",
}


def card(name: str, written: Written, license: str, benchmarks: Mapping[str, int], left_out: bool) -> str:
    """The text. `benchmarks`: programs of each file that overlap was looked for in."""
    size = next((label for limit, label in SIZES if written.rows < limit), "n>1M")
    files = "".join(f"      - split: {split}\n        path: data/{split}.parquet\n" for split in written.splits)
    # A JSON string is a YAML string.
    head = (
        f"---\nlicense: {json.dumps(license)}\npretty_name: {json.dumps(name)}\ntask_categories:\n  - text-generation\n"
        f"tags:\n  - azr\n  - code\n  - reasoning\n  - synthetic\nsize_categories:\n  - {json.dumps(size)}\nconfigs:\n"
        # `datasets` caches by what the card says and not by what the files hold, so the card says what they hold.
        f'  - config_name: default\n    description: "content {written.content}"\n    data_files:\n{files}---\n'
    )
    parts = [
        f"{head}\n# {one_line(name)}\n",
        f"{written.rows:,} tasks about small Python programs. A language model proposed them. A sandbox ran each"
        " program more than once: its outputs are what it returned, each time the same.\n",
        f"- Models: {_counts(written.models)}\n- Origin: {_counts(written.origins)}\n- License: {one_line(license)}\n",
        _table(written),
        _repeats(written),
        _overlap(written, benchmarks, left_out),
        "## Columns\n\n| Column | Meaning |\n|---|---|\n"
        + "".join(f"| `{names.replace(', ', '`, `')}` | {text} |\n" for names, text in COLUMNS.items()),
        USE,
    ]
    return "\n".join(part for part in parts if part)


USE = """## Use

```python
from datasets import load_dataset

rows = load_dataset("PATH")
```

- TRL: `trl grpo --dataset_name PATH --reward_funcs azr.grading.trl.azr_reward ...`
- verl: `data.train_files=PATH/data/train.parquet`, with azr's file as `reward.custom_reward_function.path`
- prime-rl: the taskset `azr-tasks` with `path = "PATH"` (azr's folder `environments/azr_tasks`)

The rewards of all three run model-written code in azr's sandbox (`pip install azr`).
"""


def _table(written: Written) -> str:
    kinds = sorted({kind for kind, _ in written.difficulties})
    shown = [name for name in DIFFICULTIES if any(written.difficulties[kind, name] for kind in kinds)]
    lines = [f"| Kind | {' | '.join(shown)} |", "|---" * (1 + len(shown)) + "|"]
    lines += [f"| {kind} | {' | '.join(f'{written.difficulties[kind, name]:,}' for name in shown)} |" for kind in kinds]
    return "## Difficulty\n\nBy the solve rate of the model that made them.\n\n" + "\n".join(lines) + "\n"


def _repeats(written: Written) -> str:
    equal, near, same = (written.repeats[level] for level in (EQUAL, "near", "program"))
    return (
        f"## Repeats\n\n{equal:,} tasks were equal to an earlier one but for names, comments and formatting: left out."
        f" {same:,} ask something else about an earlier row's program, {near:,} have a program that is nearly an"
        " earlier one's: they are marked by `repeat`.\n"
    )


def _overlap(written: Written, benchmarks: Mapping[str, int], left_out: bool) -> str:
    if not benchmarks:
        return "## Contamination\n\nNo benchmark was looked for.\n"
    files = ", ".join(f"{one_line(name)} ({count:,} programs)" for name, count in benchmarks.items())
    exact, near = written.overlaps["exact"], written.overlaps["near"]
    what = "They were left out." if left_out else "They are in the data, marked by `overlap`."
    return (
        f"## Contamination\n\nLooked for in: {files}. {exact:,} tasks have a program that is in them but for names,"
        f" comments and formatting; {near:,} have one that is nearly. {what}\n"
    )


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{one_line(name)} ({count:,})" for name, count in found.most_common())
