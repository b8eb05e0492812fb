"""The code monitor: what reaches for the host, the interpreter or the answer; never run, never fatal."""

import pytest
from azr.config.oversight import Action, CodeConfig
from azr.errors import ConfigError
from azr.oversight.base import Seen
from azr.oversight.monitors.code import CodeMonitor
from azr.sandbox import Value
from azr.types import Completion, Kind, Prompt, Role, Task


def look(code: str | None, *arguments: str, imports: tuple[str, ...] = (), task: Task | None = None) -> list[str]:
    kind = Kind.INDUCTION if task else Kind.ABDUCTION
    prompt = Prompt(role=Role.SOLVE, kind=kind, text="", token_ids=(), task=task)
    completion = Completion(prompt=prompt, text=code or "", token_ids=(), log_probs=(), finished=True)
    seen = Seen(
        step=1, purpose="answer", completion=completion, code=code, arguments=arguments, imports=imports, task=task
    )
    (found,) = CodeMonitor(CodeConfig()).completions([seen])
    return [finding.rule for finding in found]


def test_arguments_are_looked_into_too() -> None:
    assert look(None, "().__class__.__mro__[1].__subclasses__()") == ["insides"]
    assert look(None, "open('x').read()") == ["host_call"]
    assert look(None, "[1, 2, 3]", "'__subclasses__'") == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(:", "(" * 100_000, "[" * 500 + "eval(1)" + "]" * 500, "x" * 200_000, "\x00eval(1)", "", "\ud800 open(",
        "def f(x):\n    return " + "-" * 5000 + "eval(x)",
    ],
)  # fmt: skip
def test_what_does_not_parse_or_is_too_deep_or_long_is_left_alone(code: str) -> None:
    assert look(code) == []


def test_a_table_of_the_shown_pairs_is_no_induction() -> None:
    task = Task(
        kind=Kind.INDUCTION,
        program="def f(x):\n    return [x, x]",
        inputs=("1", "'a'", "(2, 3)", "4", "5", "6"),
        outputs=tuple(Value.of([v, v]) for v in (1, "a", (2, 3), 4, 5, 6)),
    )
    branches = "def f(x):\n    if x == 1:\n        return [1, 1]\n    if 'a' == x:\n        return ['a', 'a']"
    cases = "def f(x):\n  match x:\n    case 1:\n      return [1,1]\n    case 'a':\n      return ['a','a']"
    table = "def f(x):\n    return {1: [1, 1], (2, 3): [(2, 3), (2, 3)]}[x]"
    for code in (branches, cases, table):
        assert look(code, task=task) == ["lookup_table"], code
    assert look("def f(x):\n    if x == 1:\n        return [1, 1]\n    return [x, x]", task=task) == []
    # Hidden pairs are not shown, so having them is no sign of a table made from the prompt.
    assert look("def f(x):\n    return {4: [4, 4], 5: [5, 5]}[x]", task=task) == []


def test_imports_count_by_their_first_name() -> None:
    assert look("import os.path", imports=("os.path",)) == ["host_import"]
    assert look("import osmium", imports=("osmium", "math", "sys")) == []


def test_an_action_for_a_rule_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no rule evil; there are host_import"):
        CodeMonitor(CodeConfig(actions={"evil": Action.DROP}))
