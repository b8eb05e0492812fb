"""Answers to mathematics: hand-labelled pairs, what is read from a reply, and answers that never end."""

import signal
from pathlib import Path

import pytest
from azr.evals.benchmarks import Item, find
from azr.evals.scorers import Tools, make_scorer
from azr.evals.scorers.math import boxed
from azr.evals.scorers.math_process import MathProcess, Pair

PAIRS = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "math_pairs.tsv").read_text("utf-8").split("\n")
    if line and not line.startswith("#")
]


@pytest.mark.slow
def test_the_scorer_agrees_with_every_pair_that_a_person_labelled() -> None:
    assert len(PAIRS) >= 200
    assert sum(label == "differ" for _, _, label in PAIRS) >= 80
    found = MathProcess().compare([Pair(gold, answer) for gold, answer, _ in PAIRS])
    wrong = [pair for pair, same in zip(PAIRS, found, strict=True) if same is not (pair[2] == "same")]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("so \\boxed{3}", "3"),
        ("\\boxed{1} then \\boxed{\\frac{1}{2}}.", "\\frac{1}{2}"),
        ("\\boxed{\\left\\{1,2\\right\\}}", "\\left\\{1,2\\right\\}"),
        ("\\boxed {5}", "5"),
        ("\\fbox{7}", "7"),
        ("\\boxed{2} and then \\boxed{3", None),
        ("\\boxed{}", ""),
        ("no box", None),
    ],
)
def test_the_last_box_whose_braces_close(text: str, inside: str | None) -> None:
    assert boxed(text) == inside


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Thus \\boxed{12}. Check: 13.", "12"),
        ("The final answer is 12.", "12"),
        ("Answer: $\\frac12$", "$\\frac12$"),
        ("**Answer:** 7", "** 7"),
        ("I think it is 12", None),
        ("\\boxed{}", None),
        ("", None),
    ],
)
def test_the_answer_in_a_reply(tools: Tools, text: str, answer: str | None) -> None:
    assert make_scorer("math", tools).read(text, Item(id="x"), None) == answer


@pytest.mark.slow
def test_an_answer_that_never_ends_is_no_verdict_and_stops_nothing() -> None:
    """Too large to compute; what comes after is compared as if alone."""
    process = MathProcess(seconds=1)
    ended, compared = process.compare([Pair("7", "9^{9^{9^{9}}}"), Pair("7", "7.0")])
    process.close()
    assert compared is True
    assert isinstance(ended, str) and "no end" in ended


def test_a_process_that_nobody_holds_ends() -> None:
    process = MathProcess()
    process.compare([Pair("1", "1")])
    worker = process._worker
    assert worker is not None and worker.poll() is None
    del process
    assert worker.wait(timeout=600) == -signal.SIGKILL


def test_nothing_of_an_answer_is_evaluated_as_python(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    texts = [
        f"__import__('pathlib').Path('{mark}').touch()",
        f"exec(\"open('{mark}', 'w')\")",
        f"\\text{{open('{mark}','w')}}",
        f"(lambda: open('{mark}', 'w'))()",
    ]
    assert MathProcess().compare([Pair("1", text) for text in texts]) == [False] * len(texts)
    assert not mark.exists()


def test_rows_of_the_sources_become_golds(tools: Tools) -> None:
    rows = {
        "aime24": {"id": 3, "problem": "P", "solution": "\\boxed{204}", "url": ""},
        "aime25": {"id": "1", "problem": "P", "answer": "70"},
        "amc23": {"id": 1, "question": "P", "answer": 27.0},
        "math500": {"unique_id": "test/a/1.json", "problem": "P", "answer": "\\frac{14}{3}"},
        "minerva": {"question": "P", "answer": "4.5e33"},
        "olympiad": {"id": 1606, "question": "P", "final_answer": ["$\\sqrt{2}$", "1"]},
    }
    golds = ["204", "70", "27.0", "\\frac{14}{3}", "4.5e33", "$\\sqrt{2}$, 1"]
    for (name, row), gold in zip(rows.items(), golds, strict=True):
        [item] = find(name).build([row], tools.sandbox)
        assert item.facts == {"gold": gold} and "boxed" in item.question
