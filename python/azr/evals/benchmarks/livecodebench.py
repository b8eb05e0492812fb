"""LiveCodeBench, code generation, release v5: contest problems of May 2023 to January 2025, 880 of them.

Source: livecodebench/code_generation_lite, files test.jsonl to test5.jsonl (release v5 is all five); licence as the
hub's page says (CC); Jain et al., arXiv 2403.07974. Prompt: the problem with its starter code or the request to read
standard input; plain: the problem as a docstring. Hidden tests are compressed and wrapped in a pickle of one string,
which is read without unpickling. The original stops a test after 6 seconds; here fuel decides.
"""

import ast
import base64
import json
import pickletools
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azr.errors import BenchmarkError
from azr.evals.benchmarks.base import Benchmark, Item, Row, Source, column
from azr.types import Kind

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

METHOD = (
    "{text}\n\nWrite the method of this class:\n\n```python\n{starter}\n```\n\n"
    "Work it out step by step, then give the whole class, with the imports that it needs, in one block tagged python."
)
STDIN = (
    "{text}\n\nWrite a Python program that reads the input from standard input and prints the answer to standard"
    " output. Work it out step by step, then give the whole program in one block tagged python."
)

STOPS = ('\n"""', "\n```", "\nassert")


def _build(rows: Sequence[Row], sandbox: "Sandbox") -> list[Item]:
    items = []
    for number, row in enumerate(rows):
        starter = (row.get("starter_code") or "").strip("\n")
        text = str(column(row, number, "question_content")).strip()
        question = METHOD.format(text=text, starter=starter) if starter else STDIN.format(text=text)
        facts = {
            "public": column(row, number, "public_test_cases"),
            "private": row.get("private_test_cases") or "[]",
            "method": _method(row, starter, number),
            "row": number,
        }
        stem = f'"""\n{text}\n"""\n{starter}'
        items.append(Item(id=str(column(row, number, "question_id")), question=question, stem=stem, facts=facts))
    return items


def _method(row: Row, starter: str, number: int) -> str:
    """The method that is tested; empty for programs on standard input."""
    if not starter:
        return ""
    try:
        named = json.loads(row.get("metadata") or "{}").get("func_name")
        functions = [n.name for n in ast.walk(ast.parse(f"{starter} pass")) if isinstance(n, ast.FunctionDef)]
    except (ValueError, SyntaxError) as error:
        raise BenchmarkError(f"row {number}: its metadata or starter code cannot be read: {error}") from error
    return str(named or functions[0])


def decode(text: str, number: int) -> list[dict[str, Any]]:
    """Test cases in either of the source's encodings.

    Raises:
        BenchmarkError: they are in no encoding that is known.
    """
    try:
        if not text.lstrip().startswith("["):
            text = _string(zlib.decompress(base64.b64decode(text)))
        cases = json.loads(text)
        return [{"input": c["input"], "output": c["output"], "type": c["testtype"]} for c in cases]
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise BenchmarkError(f"row {number}: its tests cannot be read: {error!r}") from error


def _string(pickled: bytes) -> str:
    """The one string in a pickle. Only the string's own opcode is looked at: nothing is built, nothing can run."""
    found = [argument for code, argument, _ in pickletools.genops(pickled) if "UNICODE" in code.name]
    if len(found) != 1 or not isinstance(found[0], str):
        raise ValueError(f"a pickle of {len(found)} strings instead of one")
    return found[0]


LIVECODEBENCH = Benchmark(
    name="livecodebench",
    title="LiveCodeBench generation",
    source=Source(
        hub="livecodebench/code_generation_lite",
        local="livecodebench",
        licence="CC (see the hub's page)",
        revision="0fe84c3912ea0c4d4a78037083943e8f0c4dd505",
        files=("test.jsonl", "test2.jsonl", "test3.jsonl", "test4.jsonl", "test5.jsonl"),
    ),
    scorer="programs",
    kind=Kind.INDUCTION,
    build=_build,
    max_tokens=8192,
    stops=STOPS,
)
