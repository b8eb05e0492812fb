"""Contest programs: standard input, methods, the two encodings of hidden tests."""

import base64
import json
import pickle
import zlib

import pytest
from azr.errors import BenchmarkError
from azr.evals.benchmarks import find
from azr.evals.benchmarks.livecodebench import decode
from azr.evals.scorers import Reason, Tools, Verdict, make_scorer
from azr.evals.scorers.programs import same_text


def case(given: str, wanted: str, kind: str) -> dict[str, str]:
    return {"input": given, "output": wanted, "testtype": kind}


def hidden(cases: list[dict[str, str]]) -> str:
    """As the source packs them."""
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(cases)))).decode("ascii")


SUM = {
    "question_id": "sum",
    "question_content": "Read n, then n numbers; print their sum.",
    "starter_code": "",
    "public_test_cases": json.dumps([case("1\n5\n", "5", "stdin")]),
    "private_test_cases": hidden([case("2\n3 4\n", "7\n", "stdin"), case("3\n1 1\n1\n", "3", "stdin")]),
    "metadata": "{}",
}
ADD = {
    "question_id": "add",
    "question_content": "Add b to the sum of a.",
    "starter_code": "class Solution:\n    def add(self, a: List[int], b: int) -> int:\n        ",
    "public_test_cases": json.dumps([case("[1, 2]\n3", "6", "functional")]),
    "private_test_cases": hidden([case("[]\n-1", "-1", "functional")]),
    "metadata": json.dumps({"func_name": "add"}),
}


def judge(tools: Tools, row: dict[str, str], *answers: str) -> list[Verdict]:
    [item] = find("livecodebench").build([row], tools.sandbox)
    return make_scorer("programs", tools).score([(item, answer) for answer in answers])


def test_programs_read_standard_input_in_every_usual_way(tools: Tools) -> None:
    answers = (
        "n = int(input())\nx = []\nwhile len(x) < n: x += map(int, input().split())\nprint(sum(x))",
        "import sys\nprint(sum(map(int, sys.stdin.read().split()[1:])))",
        "import sys\ndef main():\n    d = sys.stdin.buffer.read().split()\n    print(sum(int(x) for x in d[1:]))\n"
        "if __name__ == '__main__':\n    sys.exit(main())",
        "d = open(0).read().split()\nprint(f'{sum(map(int, d[1:])):.1f}')",
        "from sys import stdin\nstdin.readline()\nprint(sum(int(x) for line in stdin for x in line.split()))\nexit()",
        "print(sum(Counter(map(int, ' '.join(iter_lines).split())).elements()))".replace(
            "iter_lines", "open(0).read().split()[1:]"
        ),
    )
    assert [verdict.score for verdict in judge(tools, SUM, *answers)] == [1.0] * len(answers)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("print(5)", Reason.WRONG),
        ("input()\nprint(sum(map(int, input().split())), 'extra')", Reason.WRONG),
        ("import sys\nsys.exit(3)", Reason.RAISED),
        ("print(7", Reason.SYNTAX_ERROR),
        ("import numpy as np", Reason.UNSUPPORTED),
        ("input()\ninput()\ninput()\ninput()", Reason.RAISED),
    ],
)
def test_programs_that_fail_say_why(tools: Tools, answer: str, reason: Reason) -> None:
    assert judge(tools, SUM, answer)[0].reason is reason


def test_one_failed_test_among_many_is_enough(tools: Tools) -> None:
    public_only = "input()\nprint(max(map(int, input().split())))"
    assert judge(tools, SUM, public_only)[0].reason is Reason.WRONG


def test_methods_are_called_with_json_and_compared_as_data(tools: Tools) -> None:
    answers = (
        "class Solution:\n    def add(self, a: List[int], b: int) -> int:\n        return sum(a) + b",
        "class Solution:\n    def add(self, a, b): return reduce(operator.add, a, b)",
        "class Solution:\n    def add(self, a, b): return 6",
        "class Solution:\n    def plus(self, a, b): return sum(a) + b",
        "class E:\n    def __eq__(self, other): return True\nclass Solution:\n    def add(self, a, b): return E()",
        "def add(a, b): return sum(a) + b",
    )
    assert [v.reason for v in judge(tools, ADD, *answers)] == [
        Reason.CORRECT, Reason.CORRECT, Reason.WRONG, Reason.NO_FUNCTION, Reason.NOT_PLAIN_DATA, Reason.NO_FUNCTION,
    ]  # fmt: skip


class Bomb:
    """Would run a command if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("exit 1",)


def test_hidden_tests_are_read_without_unpickling() -> None:
    packed = base64.b64encode(zlib.compress(pickle.dumps([Bomb(), "[]"]))).decode("ascii")
    with pytest.raises(BenchmarkError, match="row 3"):
        decode(packed, 3)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        text = json.dumps([case("1" * 70_000, "2", "stdin")])
        again = base64.b64encode(zlib.compress(pickle.dumps(text, protocol))).decode("ascii")
        assert decode(again, 0)[0]["input"] == "1" * 70_000


@pytest.mark.parametrize(
    ("printed", "wanted", "same"),
    [
        ("1 2\n3\n", "1 2 \n3", True),
        ("1.0", "1", True),
        ("1  2", "1 2", True),
        ("Yes", "yes", False),
        ("1\n\n2", "1\n2", False),
        ("nan", "nan", True),
        ("nan 1", "nan  1", False),
        ("1 2", "1 3", False),
        ("0.1", "0.10000000000000000001", False),
        ("", "", True),
    ],
)
def test_lines_compare_without_spaces_at_their_ends_and_numbers_as_numbers(
    printed: str, wanted: str, same: bool
) -> None:
    assert same_text(printed, wanted) is same


def test_rows_without_tests_are_refused(tools: Tools) -> None:
    row = SUM | {"public_test_cases": "[]", "private_test_cases": "[]"}
    with pytest.raises(BenchmarkError, match="row 0 has no tests"):
        judge(tools, row, "print(1)")
