"""Contest programs: standard input, methods, the two encodings of hidden tests."""

# ruff: noqa: E501 - programs are data, one a line

import base64
import json
import pickle
import tracemalloc
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


def grade(tools: Tools, row: dict[str, str], *answers: str) -> list[Verdict]:
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
    assert [verdict.score for verdict in grade(tools, SUM, *answers)] == [1.0] * len(answers)


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
    assert grade(tools, SUM, answer)[0].reason is reason


def test_one_failed_test_among_many_is_enough(tools: Tools) -> None:
    public_only = "input()\nprint(max(map(int, input().split())))"
    assert grade(tools, SUM, public_only)[0].reason is Reason.WRONG


def test_methods_are_called_with_json_and_compared_as_data(tools: Tools) -> None:
    answers = (
        "class Solution:\n    def add(self, a: List[int], b: int) -> int:\n        return sum(a) + b",
        "class Solution:\n    def add(self, a, b): return reduce(operator.add, a, b)",
        "class Solution:\n    def add(self, a, b): return 6",
        "class Solution:\n    def plus(self, a, b): return sum(a) + b",
        "class E:\n    def __eq__(self, other): return True\nclass Solution:\n    def add(self, a, b): return E()",
        "def add(a, b): return sum(a) + b",
    )
    assert [v.reason for v in grade(tools, ADD, *answers)] == [
        Reason.CORRECT, Reason.CORRECT, Reason.WRONG, Reason.NO_FUNCTION, Reason.NOT_PLAIN_DATA, Reason.NO_FUNCTION,
    ]  # fmt: skip


FAST = {
    "descriptor_and_size": "import os, io\ninput = io.BytesIO(os.read(0, os.fstat(0).st_size)).readline\nn = int(input())\n"
    "print(sum(map(int, io.BytesIO(b'').read().split() or b''.join(iter(input, b'')).split())))",
    "descriptor_in_parts": "import sys, os\nfd = sys.stdin.fileno()\ndata = b''\nwhile True:\n    part = os.read(fd, 3)\n"
    "    if not part: break\n    data += part\nprint(sum(map(int, data.split()[1:])))",
    "thread": "import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(1 << 27)\ndef main():\n"
    "    d = sys.stdin.read().split()\n    print(sum(map(int, d[1:])))\nt = threading.Thread(target=main)\nt.start()\nt.join()",
    "open_descriptor": "print(sum(map(int, open(0, 'rb').read().split()[1:])))",
    "open_file": "print(sum(int(x) for line in list(open('/dev/stdin'))[1:] for x in line.split()))",
    "write_descriptor": "import os, sys\nos.write(1, str(sum(map(int, sys.stdin.read().split()[1:]))).encode())",
    "buffered_output": "import io, os, sys\nd = sys.stdin.buffer.read().split()\nout = io.StringIO()\n"
    "out.write(str(sum(map(int, d[1:]))))\nsys.stdout.write(out.getvalue())",
    "names_of_the_checker": "d = stdin.read().split()\nstdout.write(str(reduce(operator.add, map(int, d[1:]))) + '\\n')",
    "readline_of_the_buffer": "import sys\nit = iter(sys.stdin.buffer.readline, b'')\nnext(it)\n"
    "sys.stdout.writelines([str(sum(int(x) for line in it for x in line.split())), '\\n'])\nsys.stdout.flush()",
}


@pytest.mark.parametrize("way", FAST)
def test_the_fast_input_of_contest_programs_works(tools: Tools, way: str) -> None:
    [verdict] = grade(tools, SUM, FAST[way])
    assert verdict.score == 1.0, verdict


@pytest.mark.parametrize(
    "program",
    [
        "import os\nos.system('ls')",
        "import os\nos.listdir('/')",
        "import os\nos.open('input.txt', 0)",
        "open('input.txt').read()",
        "import sys\nsys.stdout.fileno()",
    ],
)
def test_what_needs_a_host_is_told_apart_from_a_wrong_answer(tools: Tools, program: str) -> None:
    assert grade(tools, SUM, program)[0].reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    "body",
    [
        "return bisect.bisect_left([1, 3, 5], b) * 0 + sum(a) + b",
        "c = copy.deepcopy(a)\n        return sum(c) + b",
        "return datetime.timedelta(days=sum(a) + b).days",
        "return int(pow(sum(a) + b, 1, 10**9 + 7)) if sum(a) + b > 0 else sum(a) + b",
        "return statistics.mean([sum(a) + b])",
        "return int(json.loads(json.dumps(sum(a) + b)))",
        "h = []\n        heapq.heappush(h, sum(a) + b)\n        return heappop(h)",
        "return int(re.match('-?[0-9]+', str(sum(a) + b))[0]) if string.digits and io and random and math else 0",
        "return Counter([sum(a) + b]).most_common(1)[0][0] if defaultdict and deque else 0",
    ],
)
def test_modules_hide_the_functions_of_their_names_as_in_the_checker(tools: Tools, body: str) -> None:
    [verdict] = grade(tools, ADD, f"class Solution:\n    def add(self, a, b):\n        {body}")
    assert verdict.score == 1.0, verdict


def test_a_result_is_the_data_that_it_is(tools: Tools) -> None:
    row = ADD | {
        "public_test_cases": json.dumps([case("[3, 1]\n0", "[1, [3, {}]]", "functional")]),
        "private_test_cases": "[]",
    }
    answers = (
        "class L(list): pass\nclass Solution:\n    def add(self, a, b): return L([min(a), L([max(a), defaultdict(int)])])",
        "class Solution:\n    def add(self, a, b): return (1, [3, OrderedDict()])",
        "class L(list):\n    def __eq__(s, o): return True\nclass Solution:\n    def add(self, a, b): return L([2])",
    )
    assert [verdict.score for verdict in grade(tools, row, *answers)] == [1.0, 1.0, 0.0]


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


def test_a_line_of_many_numbers_is_compared_a_word_at_a_time() -> None:
    """An object for each word took forty times the text."""
    printed = "1.0 " * 50_000
    tracemalloc.start()
    assert same_text(printed, "1 " * 50_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * len(printed)


def test_rows_without_tests_are_refused(tools: Tools) -> None:
    row = SUM | {"public_test_cases": "[]", "private_test_cases": "[]"}
    with pytest.raises(BenchmarkError, match="row 0 has no tests"):
        grade(tools, row, "print(1)")
