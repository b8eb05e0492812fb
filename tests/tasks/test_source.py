"""Programs are read, never run, and no text can overwhelm the reader."""

import pytest
from azr.tasks import source


@pytest.mark.parametrize(
    "program",
    [
        "(" * 5000 + ")" * 5000,
        "-" * 60_000 + "1",
        "x = " + "+".join("1" for _ in range(30_000)),
        "x = a" + ".b" * 20_000,
        "x = " + "not " * 15_000 + "1",
        "\n".join(" " * n + "if x:" for n in range(200)) + "\n" + " " * 200 + "pass",
        "def f(:",
        "\0",
        "x" * 70_000,
        "\ud800",
    ],
    ids=["brackets", "minus", "sum", "attributes", "not", "indent", "syntax", "nul", "long", "surrogate"],
)
def test_hostile_text_is_refused_without_harm(program: str) -> None:
    assert source.parse(program) is None


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("x", 0), ("-1", 0), ("-x", 1), ("x[::-1]", 1), ("sorted(x)[1:]", 2), ("[v + 1 for v in x]", 1),
        ("[v for v in sorted(x) if v > 3]", 2), ("[x, 4]", 1), ("[1, 2]", 0), ("[1] + x", 1), ("x % 2 == 0", 2),
        ("[x + 1, 2]", 2), ("f'{x}'", 1), ("x.replace('a', '').upper()", 2), ("1 if x else 2", 1),
    ],
)  # fmt: skip
def test_operations_are_counted_by_what_a_reader_has_to_do(expression: str, count: int) -> None:
    tree = source.parse(f"def f(x):\n    return {expression}")
    assert tree is not None and source.operations(tree) == count
