"""`azr domain new` makes what works, and `azr domain check` says what does not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from azr.cli.domain import domain as command
from azr.config import load_config
from azr.errors import DomainError
from azr.run.events import Quiet
from azr.run.train import start_run
from click.testing import CliRunner

pytestmark = pytest.mark.slow
Make = Callable[..., Path]


def check(folder: Path) -> tuple[int, str]:
    done = CliRunner().invoke(command, ["check", str(folder)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_a_new_domain_passes_its_check_and_trains(tmp_path: Path) -> None:
    made = CliRunner().invoke(command, ["new", "words", "--at", str(tmp_path)])
    assert made.exit_code == 0 and "azr train --config" in made.output
    code, said = check(tmp_path / "words")
    assert code == 0, said
    assert "seeds: 4 of 4 are tasks" in said and "verifier: 60 of 60 odd answers" in said and "nothing is wrong" in said
    config = load_config(tmp_path / "words" / "train.toml", [f"run.folder={tmp_path / 'run'}", "run.steps=1"])
    result = start_run(config, Quiet(), lambda: False)
    assert result.complete and "probe/solve/words.deduction/sampled" in result.after


@pytest.mark.parametrize("name", ["Words", "9", "a-b", "python", ""])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(command, ["new", name, "--at", str(tmp_path)])
    assert isinstance(done.exception, DomainError) and list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    done = CliRunner().invoke(command, ["new", "words", "--at", str(tmp_path)])
    assert isinstance(done.exception, DomainError) and list((tmp_path / "words").iterdir()) == []


def lines(*rows: tuple[str, str, str]) -> str:
    return "\n".join(json.dumps({"kind": k, "program": p, "inputs": [text]}) for k, p, text in rows)


@pytest.mark.parametrize(
    ("more", "files", "said"),
    [
        ("", {"seeds_jsonl": lines(("deduction", "def f(a):\n    return b", "1"))}, "the sandbox says raised"),
        ("", {"seeds_jsonl": lines(("induction", "def f(a):\n    return a", "1"))}, "'induction' is no kind"),
        ("", {"seeds_jsonl": "{"}, "line 1: not a task"),
        ('\n[prompts.all]\npropose = "Costs $5"\n', {}, "nothing is wrong"),
        ('\n[verifier]\nfile = "v.py"\n', {}, "verifier.file = 'v.py' cannot be read"),
        (
            '\n[verifier]\nfile = "v.py"\n',
            {"v_py": "def verify(task, answer):\n    return answer / 2"},
            "verifier: raised on the answer None",
        ),
        (
            '\n[verifier]\nfile = "v.py"\n',
            {"v_py": "import random\ndef verify(task, answer):\n    return random.random()"},
            "verifier: nondeterministic on the answer",
        ),
        (
            '\n[verifier]\nfile = "v.py"\n',
            {"v_py": "def verify(task, answer):\n    return 1.0"},
            "note that the answer None earns 1",
        ),
        (
            '\n[quality]\nfile = "q.py"\n',
            {"q_py": "def quality(task):\n    return task['cost']"},
            "quality: raised on 7 of 7 tasks",
        ),
    ],
)
def test_what_is_wrong_with_a_domain_is_said_in_words(
    make_folder: Make, more: str, files: dict[str, str], said: str
) -> None:
    code, shown = check(make_folder(more, **files))
    assert said in shown, shown
    assert code == (0 if "nothing is wrong" in shown else 1)


def test_a_prompt_with_a_slot_that_nothing_fills_is_found(make_folder: Make) -> None:
    own = (
        "from azr.domains import Kind, Problem\n\n\nclass Guess(Problem):\n    kind = Kind('guess')\n"
        "    program = 'def f(a):\\n    return a'\n    propose_text = 'Write one. $referenzes'\n"
        "    solve_text = 'Guess $problem'\n"
    )
    toml = 'name = "shop"\nseeds = "seeds.jsonl"\n[new_kinds]\nguess = "own.py:Guess"\n'
    seeds = lines(("guess", "def f(a):\n    return a", "1"))
    code, shown = check(make_folder(toml=toml, own_py=own, seeds_jsonl=seeds))
    assert code == 1 and "prompt of propose guess: the slot 'referenzes' of its text is not filled" in shown
