"""`azr sandbox`: what it prints and how it exits."""

import json
from pathlib import Path

from azr.cli import azr
from click.testing import CliRunner


def test_a_program_runs_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text("def f(x):\n    print('printed')\n    return [x, 'a']\n")
    ran = CliRunner().invoke(azr, ["sandbox", "run", str(file), "--call", "f(3)"])
    assert (ran.exit_code, ran.stdout) == (0, "printed\n[3, 'a']\n")
    ran = CliRunner().invoke(azr, ["sandbox", "run", str(file), "--call", "f(1 / 0)", "--json"])
    row = json.loads(ran.stdout)
    assert (ran.exit_code, row["kind"], row["exception"], row["value"]) == (1, "raised", "ZeroDivisionError", None)


def test_what_is_no_call_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text("1")
    ran = CliRunner().invoke(azr, ["sandbox", "run", str(file), "--call", "f 3"])
    assert ran.exit_code == 2 and "is not a call" in ran.output


def test_fidelity_counts_and_shows_what_differs(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    rows = [
        {"code": "def f(x):\n    return x + 1", "input": "1", "output": "2"},
        {"code": "def f(x):\n    return x + 1", "input": "1", "output": "3"},
        {
            "code": "def f(x):\n    return list(set(x))",
            "inputs": ["'ab'", "1"],
            "outcomes": [{"nondeterministic": True}, {"raises": "TypeError"}],
        },
        {"code": "import numpy\ndef f(x):\n    return x", "input": "1", "output": "1"},
        {"code": "from sympy import symbols\ndef f(x):\n    return x", "input": "1", "output": "1"},
        {
            "prompt": "def f(x):\n",
            "canonical_solution": "    return x * 2\n",
            "test": "def check(candidate):\n    assert candidate(2) == 4\n",
            "entry_point": "f",
        },
    ]
    data.write_text("\n".join(json.dumps(row) for row in rows))
    ran = CliRunner().invoke(azr, ["sandbox", "fidelity", "--data", str(data), "--json"])
    report = json.loads(ran.stdout)
    assert (report["compared"], report["agree"]) == (4, 3)
    assert [row["package"] for row in report["unsupported"]] == ["numpy", "sympy"]
    assert [(row["want"], row["got"]) for row in report["differ"]] == [("3", "2")]
    assert (report["nondeterministic"], report["rejected_as_such"]) == (1, 1)
