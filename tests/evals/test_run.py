"""An evaluation: nothing is lost, nothing is done twice, and no interruption or number of processes shows."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from azr.errors import BenchmarkError
from azr.evals.benchmarks import Benchmark, Item
from azr.evals.records import Folder, Line, files, read_json, read_lines
from azr.evals.run import Evaluation, Share, units
from azr.evals.summary import averages, summarise
from azr.types import Prompt

Make = Callable[..., Evaluation]


def answer(prompt: Prompt, draw: int) -> str:
    """Right for even draws; it says its draw, so that other draws make other completions."""
    assert prompt.task is not None
    right = prompt.task.outputs[0].repr if draw % 2 == 0 else "None"
    return f"{draw} </think><answer>```output\n{right}\n```</answer>"


def finished(path: Path, order: dict[str, list[str]]) -> list[Line]:
    folder = Folder(path)
    folder.put_together(order)
    folder.close()
    assert [file.name for file in files(path)] == ["completions.jsonl"]
    return list(read_lines(path / "completions.jsonl"))


def test_every_completion_is_kept_with_its_verdict(
    tmp_path: Path, make_evaluation: Make, benchmark: Benchmark, items: list[Item]
) -> None:
    folder = Folder(tmp_path)
    make_evaluation(answer, samples=3).run(benchmark, items, folder)
    lines = list(folder.lines())
    assert {(line.item, line.sample) for line in lines} == {(item.id, n) for item in items for n in range(3)}
    for line in lines:
        right = int(line.completion.split()[0]) % 2 == 0
        assert (line.score, line.reason) == ((1.0, "correct") if right else (0.0, "wrong"))
        assert line.answer is not None and line.answer in line.completion and line.finished and line.tokens > 0


@pytest.mark.parametrize("stop_after", [0, 1, 2])
def test_an_interrupted_evaluation_ends_as_one_that_was_not(
    tmp_path: Path, make_evaluation: Make, benchmark: Benchmark, items: list[Item], stop_after: int
) -> None:
    """It stops in the middle of asking; a torn line of a crash is at the end of its file."""
    order = {benchmark.name: [item.id for item in items]}
    whole = Folder(tmp_path / "whole")
    make_evaluation(answer, samples=2).run(benchmark, items, whole)
    whole.close()

    asked: list[int] = []

    def breaks(prompt: Prompt, draw: int) -> str:
        asked.append(draw)
        if len(asked) > 4 * stop_after:
            raise KeyboardInterrupt
        return answer(prompt, draw)

    first = Folder(tmp_path / "parts")
    with pytest.raises(KeyboardInterrupt):
        make_evaluation(breaks, samples=2).run(benchmark, items, first)
    first.close()
    with (tmp_path / "parts" / "completions.jsonl").open("a") as file:
        file.write('{"benchmark": "cruxeval_o", "item": "sam')
    before = sum(1 for _ in read_lines(tmp_path / "parts" / "completions.jsonl"))

    again: list[int] = []
    second = Folder(tmp_path / "parts")
    make_evaluation(lambda prompt, draw: (again.append(draw), answer(prompt, draw))[1], samples=2).run(
        benchmark, items, second
    )
    second.close()
    assert before == 4 * stop_after and len(again) == 12 - before, "whole units are kept and not asked for again"
    assert finished(tmp_path / "parts", order) == finished(tmp_path / "whole", order)


def test_processes_that_share_the_work_end_as_one_alone(
    tmp_path: Path, make_evaluation: Make, benchmark: Benchmark, items: list[Item]
) -> None:
    order = {benchmark.name: [item.id for item in items]}
    for world in (1, 3):
        for rank in reversed(range(world)):
            folder = Folder(tmp_path / str(world), rank)
            make_evaluation(answer, samples=2, share=Share(rank=rank, world=world)).run(benchmark, items, folder)
            folder.close()
    assert len(files(tmp_path / "3")) == 3
    assert finished(tmp_path / "3", order) == finished(tmp_path / "1", order)


def test_what_three_processes_began_one_can_finish(
    tmp_path: Path, make_evaluation: Make, benchmark: Benchmark, items: list[Item]
) -> None:
    folder = Folder(tmp_path, 2)
    make_evaluation(answer, share=Share(rank=2, world=3), batch=1).run(benchmark, items, folder)
    folder.close()
    asked: list[int] = []
    rest = Folder(tmp_path)
    make_evaluation(lambda prompt, draw: (asked.append(draw), answer(prompt, draw))[1], batch=1).run(
        benchmark, items, rest
    )
    rest.close()
    assert len(asked) == 4
    assert len(finished(tmp_path, {benchmark.name: [item.id for item in items]})) == 6


@pytest.mark.parametrize(("count", "samples", "batch"), [(6, 1, 4), (5, 3, 4), (2, 10, 4), (1, 512, 256), (3, 2, 100)])
def test_units_cover_everything_once_and_none_is_larger_than_a_batch(count: int, samples: int, batch: int) -> None:
    items = [Item(id=str(n)) for n in range(count)]
    cut = list(units(items, samples, batch))
    keys = [key for unit in cut for key in unit.keys()]  # noqa: SIM118  # a method of ours
    assert sorted(keys) == sorted((item.id, n) for item in items for n in range(samples))
    assert all(len(unit.keys()) <= max(batch, samples if samples <= batch else batch) for unit in cut)
    assert [unit.number for unit in cut] == list(range(len(cut)))


def test_a_prompt_that_fills_the_context_is_counted_not_asked(
    tmp_path: Path, make_evaluation: Make, benchmark: Benchmark, items: list[Item]
) -> None:
    evaluation = make_evaluation(answer)
    lengths = [len(evaluation.asker.prompt(benchmark, item).token_ids) for item in items]
    evaluation.context = max(lengths)
    folder = Folder(tmp_path)
    evaluation.run(benchmark, items, folder)
    reasons = {line.item: line.reason for line in folder.lines()}
    too_long = {item.id for item, length in zip(items, lengths, strict=True) if length >= max(lengths)}
    assert {item for item, reason in reasons.items() if reason == "prompt_too_long"} == too_long
    summary = summarise(folder.lines(), [item.id for item in items], 1, 0)
    assert {line["item"] for line in summary["apart"]} == too_long


def test_other_settings_in_the_same_folder_are_refused_other_benchmarks_are_added(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    rows = {"mbpp": {"revision": "1"}}
    folder.settle({"model": "a", "decoding": {"seed": 0}, "benchmarks": rows})
    folder.settle({"model": "a", "decoding": {"seed": 0}, "benchmarks": {"aime24": {"revision": "2"}}})
    assert set(read_json(tmp_path / "evaluation.json")["benchmarks"]) == {"mbpp", "aime24"}
    with pytest.raises(BenchmarkError, match="decoding"):
        folder.settle({"model": "a", "decoding": {"seed": 1}, "benchmarks": rows})
    with pytest.raises(BenchmarkError, match="benchmarks"):
        folder.settle({"model": "a", "decoding": {"seed": 0}, "benchmarks": {"mbpp": {"revision": "9"}}})


def test_two_evaluations_cannot_write_to_one_folder(tmp_path: Path) -> None:
    first = Folder(tmp_path)
    with pytest.raises(BenchmarkError, match="in use"):
        Folder(tmp_path)
    first.close()
    Folder(tmp_path).close()


def test_a_damaged_line_is_named_not_skipped(tmp_path: Path) -> None:
    (tmp_path / "completions.jsonl").write_text('{"benchmark": "x"}\n')
    with pytest.raises(BenchmarkError, match="line 1 is damaged"):
        list(read_lines(tmp_path / "completions.jsonl"))


def line(item: str, sample: int, score: float, reason: str = "wrong") -> Line:
    return Line(
        benchmark="b", item=item, sample=sample, prompt="", completion="", tokens=5, finished=True, answer=None,
        score=score, reason="correct" if score else reason,
    )  # fmt: skip


def test_a_summary_without_all_completions_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="1 items have fewer than 2"):
        summarise([line("a", 0, 1.0), line("a", 1, 0.0), line("b", 0, 1.0)], ["a", "b"], 2, 0)


def test_what_could_not_be_judged_scores_nothing_and_is_listed_with_what_it_could_add() -> None:
    found = summarise([line("a", 0, 1.0), line("b", 0, 0.0, "unsupported"), line("c", 0, 0.0)], ["a", "b", "c"], 1, 0)
    assert found["score"] == pytest.approx(1 / 3) and found["at_most"] == pytest.approx(2 / 3)
    assert found["reasons"] == {"correct": 1, "unsupported": 1, "wrong": 1}
    assert [entry["item"] for entry in found["apart"]] == ["b"]


def test_averages_are_the_papers_and_name_what_they_lack() -> None:
    def scored(right: int) -> dict[str, object]:
        return {"counts": {str(n): [1, int(n < right)] for n in range(10)}}

    code = dict(zip(("humaneval_plus", "mbpp_plus", "livecodebench"), map(scored, (8, 7, 3)), strict=True))
    math = dict.fromkeys(("aime24", "aime25", "amc23", "math500", "minerva", "olympiad"), scored(4))
    found = averages(code | math, 0)
    assert found["CAvg"]["value"] == pytest.approx(0.6) and found["MAvg"]["value"] == pytest.approx(0.4)
    assert found["AVG"]["value"] == pytest.approx(0.5)
    assert averages(code, 0)["AVG"]["missing"][0] == "aime24"
    assert json.dumps(found)
