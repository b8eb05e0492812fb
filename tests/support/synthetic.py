"""A synthetic run folder, written by the writers of a real run: to measure and test readers of runs.

    python tests/support/synthetic.py FOLDER [STEPS] [COMPLETIONS]

The curves look like those of real runs: solve rates drift, answers grow (abduction fastest), the proposer's programs
become similar towards the end, and alarms report it.
"""

import math
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr.buffer.client import TaskBuffer
from azr.config import resolve
from azr.oversight.traces import TraceWriter
from azr.run.folder import METRICS, TRACES, RunFolder
from azr.sandbox import Value
from azr.types import Kind, Task

ALARMS = "alarms.jsonl"
KINDS = (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)
TRIALS = 8

IDEAS = tuple(
    """
total = 0
for i, x in enumerate(xs):
    if x % {a} == 0:
        total += x * i
    else:
        total -= x
return total
---
# Step 1: count what is there.
seen = {{}}
for x in xs:
    seen[x] = seen.get(x, 0) + {a}
# Step 2: order by count.
return sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))[:{b}]
---
def walk(n, depth):
    # Observe: the depth bounds the recursion.
    if depth == 0 or n < 2:
        return n
    return walk(n - 1, depth - 1) + walk(n - 2, depth - 1)
return [walk(x % {a} + {b}, 6) for x in xs]
---
stack, out = [], []
for x in xs:
    while stack and stack[-1] > x + {a}:
        out.append(stack.pop())
    stack.append(x)
return out + stack[::-1]
---
best = [0] * (len(xs) + 1)
# First, the best of every prefix.
for i, x in enumerate(xs):
    best[i + 1] = max(best[i], best[i - 1] + x if i > 0 else x)
# Wait, the last one may not be the largest.
return max(best) % {a}
---
grid = [[(i * {a} + j * {b}) % 7 for j in range(4)] for i in range(4)]
for x in xs:
    i, j = x % 4, (x // 4) % 4
    grid[i][j], grid[j][i] = grid[j][i], grid[i][j]
return [sum(row) for row in grid]
---
text = ''.join(chr(97 + x % 26) for x in xs)
out = ''
while text:
    out, text = out + text[0], text[:0:-1]
return out * {a}
""".strip().split("\n---\n")
)
THOUGHTS = (
    "Let me trace it. After the first pass the total is {a}. ",
    "The condition holds for even numbers only, so {b} is left out. ",
    "Wait, the index starts at 0. Then the sum is {a} * {b}. ",
    "We need to find an input, so go backwards from the output. ",
)


@dataclass(frozen=True, slots=True)
class Made:
    """One synthetic proposal."""

    kind: Kind
    program: str
    given: str
    output: list[int]
    verdict: str
    rate: float


def make(
    folder: Path, steps: int = 500, completions: int = 100_000, text: Callable[[str], str] = lambda text: text
) -> None:
    """Make a run folder.

    Args:
        completions: rows of its trace, about.
        text: is applied to every program and completion, to make them hostile for example.
    """
    rng = random.Random(7)
    run = RunFolder.create(folder, resolve({}, [f"run.steps={steps}", "engine.name=scripted", "engine.script=a:b"]))
    proposals = max(1, round(completions / steps / len(KINDS) / (1 + 0.75 * TRIALS)))
    try:
        with TraceWriter(folder / TRACES) as trace, TaskBuffer.open(run.buffer) as buffer:
            run.append(METRICS, [{"step": 0, **_probe(0.0, rng)}])
            for step in range(1, steps + 1):
                done = step / steps
                made = [_propose(kind, done, rng, text) for kind in KINDS for _ in range(proposals)]
                trace.append(_rows(buffer, made, step, done, rng, text))
                run.append(METRICS, [_numbers(step, done, proposals, made, rng)])
                if alarm := _alarm(step, done, rng):
                    run.append(ALARMS, [alarm])
            buffer.commit()
    finally:
        run.close()


def _propose(kind: Kind, done: float, rng: random.Random, text: Callable[[str], str]) -> Made:
    ideas = IDEAS[: max(2, round(len(IDEAS) * (1.0 - 0.7 * max(0.0, done - 0.6) / 0.4)))]
    body = rng.choice(ideas).format(a=rng.randint(2, 60), b=rng.randint(1, 9))
    for _ in range(rng.randint(0, round(4 * done))):
        body = f"xs = [x + {rng.randint(1, 99)} if x % {rng.randint(2, 9)} else x for x in xs]\n{body}"
    program = "def f(xs):\n" + "\n".join(f"    {line}" for line in body.split("\n"))
    given = [rng.randint(0, 99) for _ in range(rng.randint(3, 8))]
    verdict = "valid" if rng.random() < 0.55 + 0.35 * done else rng.choice(
        ["unparseable", "raised", "duplicate", "nondeterministic", "out_of_fuel", "forbidden_import", "syntax_error"]
    )  # fmt: skip
    middle = 0.35 + 0.4 * done - {Kind.DEDUCTION: 0.0, Kind.ABDUCTION: 0.1, Kind.INDUCTION: 0.2}[kind]
    rate = min(TRIALS, max(0, round(rng.gauss(middle, 0.28) * TRIALS))) / TRIALS
    return Made(kind, text(program), str(given), [x * 2 for x in given], verdict, rate)


def _rows(
    buffer: TaskBuffer, made: list[Made], step: int, done: float, rng: random.Random, text: Callable[[str], str]
) -> Iterator[Mapping[str, Any]]:
    for one in made:
        task = None
        if one.verdict == "valid":
            # The sandbox refuses what is not UTF-8, so no buffer ever sees it.
            program = one.program.encode("utf-8", "replace").decode("utf-8")
            new = Task(kind=one.kind, program=program, inputs=(one.given,), outputs=(Value.of(one.output),), step=step)
            (found,) = buffer.insert_many([new])
            task = getattr(found, "id", getattr(found, "of", None))
            if task is not None:
                buffer.record_solve_rate(task, one.rate, step, attempts=TRIALS)
        blocks = f"```python\n{one.program}\n```\n```input\n{one.given}\n```"
        words = f"<think>{_think(rng, 300)}</think>\n<answer>\n{blocks}\n</answer>"
        yield _row(step, "propose", one.kind, "proposal", text(words), one.verdict, task) | {
            "program": one.program, "inputs": [one.given], "solve_rate": one.rate if task is not None else None,
        }  # fmt: skip
        if task is None:
            continue
        for trial in range(TRIALS):
            right = trial < one.rate * TRIALS
            answer = one.program if one.kind is Kind.INDUCTION else one.given
            words = f"<think>{_think(rng, 200 + 900 * done)}</think>\n<answer>{answer}</answer>"
            yield _row(step, "solve", one.kind, "trial", text(words), "correct" if right else "wrong", task) | {
                "answer": answer, "score": float(right)
            }  # fmt: skip


def _row(step: int, role: str, kind: Kind, purpose: str, words: str, verdict: str, task: int | None) -> dict[str, Any]:
    return {
        "step": step, "role": role, "kind": str(kind), "purpose": purpose, "prompt": PROMPT, "completion": words,
        "finished": True, "prompt_tokens": len(PROMPT) // 4, "tokens": len(words) // 4, "verdict": verdict,
        "detail": "", "formatted": True, "program": None, "answer": None, "task": task, "fuel": 12345,
        "trained": True, "reward": 1.0 if verdict == "correct" else -0.5, "parts": {"score": 1.0}, "advantage": 0.25,
        "flags": [],
    }  # fmt: skip


def _think(rng: random.Random, length: float) -> str:
    words = ""
    while len(words) < length:
        words += rng.choice(THOUGHTS).format(a=rng.randint(0, 999), b=rng.randint(0, 99))
    return words


PROMPT = "Write a new Python program, unlike the ones shown below, together with one input for it. " * 20


def _numbers(step: int, done: float, count: int, made: list[Made], rng: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {"step": step}
    for number, kind in enumerate(KINDS):
        own = [one for one in made if one.kind is kind]
        valid = [one for one in own if one.verdict == "valid"]
        wave = 0.04 * math.sin(9 * done + number)
        found |= {
            f"validate/propose/{kind}/count": count, f"validate/propose/{kind}/valid": len(valid),
            f"validate/propose/{kind}/valid_rate": len(valid) / count,
            f"validate/propose/{kind}/duplicate_share": sum(one.verdict == "duplicate" for one in own) / count,
            f"buffer/{kind}/similarity": min(1.0, 0.5 + 0.4 * done**2 + rng.gauss(0, 0.02)),
            f"buffer/{kind}/stored": round(step * count * 0.6),
            f"solve/solve/{kind}/score": min(1.0, 0.2 + 0.5 * done**0.6 - 0.08 * number + wave + rng.gauss(0, 0.05)),
            f"solve/solve/{kind}/formatted": min(1.0, 0.7 + 0.3 * done**0.3),
            f"solve/solve/{kind}/reason/correct": round(64 * (0.2 + 0.5 * done)),
            f"solve/solve/{kind}/reason/wrong": 64 - round(64 * (0.2 + 0.5 * done)),
        }  # fmt: skip
        for one in own:
            if one.verdict != "valid":
                key = f"validate/propose/{kind}/rejected/{one.verdict}"
                found[key] = found.get(key, 0) + 1
        if valid:
            rates = [one.rate for one in valid]
            found |= {
                f"solve/propose/{kind}/tasks": len(rates), f"solve/propose/{kind}/solve_rate": sum(rates) / len(rates),
                f"solve/propose/{kind}/learnable_share": sum(0 < rate < 1 for rate in rates) / len(rates),
            }  # fmt: skip
        for role in ("propose", "solve"):
            growth = {Kind.DEDUCTION: 0.4, Kind.ABDUCTION: 1.8, Kind.INDUCTION: 0.7}[kind] if role == "solve" else 0.3
            found |= {
                f"update/{role}/{kind}/reward": 0.3 * done + wave + rng.gauss(0, 0.08),
                f"update/{role}/{kind}/length": 220 * (1 + growth * done) + rng.gauss(0, 12),
                f"update/{role}/{kind}/truncated_share": max(0.0, 0.02 * growth * done + rng.gauss(0, 0.004)),
                f"update/{role}/{kind}/entropy": 0.9 * math.exp(-2.2 * done) + 0.1 + rng.gauss(0, 0.015),
            }  # fmt: skip
    found |= {
        "update/loss": rng.gauss(0, 0.02), "update/grad_norm": math.exp(rng.gauss(-1, 0.4)), "update/kl": 0.02 * done,
        "update/mismatch_mean": 0.004 * math.exp(rng.gauss(0, 0.2)),
        "update/mismatch_max": 0.3 * math.exp(rng.gauss(0, 0.5)),
        "update/clip_share": 0.01, "update/tokens": 40_000 * (1 + done), "update/lr": 1e-6,
        "memory/peak_bytes": 3e9 + 4e8 * done,
    }  # fmt: skip
    times = {"propose": 8.0, "validate": 0.8, "solve": 20 + 15 * done, "reward": 0.1, "update": 14.0, "load": 1.0}
    found |= {f"seconds/{name}": value * math.exp(rng.gauss(0, 0.05)) for name, value in times.items()}
    found["seconds/step"] = sum(times.values())
    return found | (_probe(done, rng) if step % 10 == 0 else {})


def _probe(done: float, rng: random.Random) -> dict[str, float]:
    found: dict[str, float] = {}
    for number, kind in enumerate(KINDS):
        value = 0.15 + 0.3 * done**0.7 - 0.12 * max(0.0, done - 0.8) - 0.03 * number + rng.gauss(0, 0.01)
        found |= {f"probe/solve/{kind}/sampled": value, f"probe/solve/{kind}/passed": min(1.0, value + 0.25)}
    for length in range(2, 5):
        found |= {f"probe/reach/{length}/pass_at_{k}": (0.1 + 0.01 * k) / length * (1 + done) for k in (1, 8, 32)}
    return found | {"probe/sampled": sum(found[f"probe/solve/{kind}/sampled"] for kind in KINDS) / len(KINDS)}


def _alarm(step: int, done: float, rng: random.Random) -> dict[str, Any] | None:
    if done > 0.7 and rng.random() < 0.06:
        evidence: object = {"share": 0.41, "limit": 0.3}
        return {"id": f"{step}.1", "step": step, "monitor": "collapse", "rule": "cluster_share", "action": "log",
                "evidence": evidence}  # fmt: skip
    if rng.random() < 0.008:
        return {"id": f"{step}.1", "step": step, "monitor": "phrases", "rule": "deception", "action": "flag",
                "evidence": "hide this from the reader", "role": "propose"}  # fmt: skip
    return None


if __name__ == "__main__":
    given = sys.argv
    make(Path(given[1]), int(given[2]) if len(given) > 2 else 500, int(given[3]) if len(given) > 3 else 100_000)
