"""The report as a file."""

import base64
import gzip
import json
import re
import shutil
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from azr.errors import RunError
from azr.report import build as module
from azr.report.build import build, write
from azr.report.curriculum import RATES
from azr.report.page import island, page
from azr.report.select import spread
from synthetic import make


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "one"
    make(path, steps=40, completions=1500)
    return path


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def details_of(html: str) -> list[dict[str, Any]]:
    blocks = re.findall(r'<script type="text/plain" id="block-0-\d+">(.*?)</script>', html)
    return [entry for block in blocks for entry in json.loads(gzip.decompress(base64.b64decode(block)))]


def test_it_has_curves_curriculum_comments_alarms_and_programs(run: Path) -> None:
    html = build([run]).html
    (found,) = data_of(html)["runs"]
    assert found["steps"][-1] == 40 and len(found["metrics"]["solve/solve/abduction/score"]) == 41
    for kind in ("deduction", "abduction", "induction"):
        shares = [found["curriculum"][f"{kind}/rate/{name}"] for name in RATES]
        filled = [sum(column) for column in zip(*shares, strict=True) if None not in column]
        assert filled and filled == pytest.approx([1.0] * len(filled), abs=1e-3)
        for name in ("cyclomatic/middle", "volume/high", "nodes/low", "unlikeness", "new_shapes"):
            assert any(value is not None for value in found["curriculum"][f"{kind}/{name}"]), name
    assert {"numbered steps", "observations"} <= {row["name"] for row in found["patterns"]}
    assert found["curriculum"]["written/solve/commented"] and found["phrases"][0]["count"] > 1
    entries = details_of(html)
    assert any(entry.get("attempts") for entry in entries) and any("refused" in entry for entry in entries)
    task = next(entry for entry in entries if entry.get("attempts"))
    assert task["program"].startswith("def f(") and task["outputs"] and task["history"]
    solved = sum(attempt["verdict"] == "correct" for attempt in task["attempts"])
    assert 0 <= solved <= len(task["attempts"]) and task["proposal"]["purpose"] == "proposal"


def test_alarms_come_with_their_steps_and_evidence(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    alarm = {"step": 5, "name": "entropy", "action": "pause", "evidence": {"entropy": 0.01}}
    rows = [{"step": 3}, alarm, {"no": "step"}]
    (tmp_path / "run" / "alarms.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (found,) = data_of(build([tmp_path / "run"]).html)["runs"]
    assert [(alarm["step"], alarm["name"], alarm["action"]) for alarm in found["alarms"]] == [
        (3, "alarm", ""), (5, "entropy", "pause"),
    ]  # fmt: skip
    assert found["alarms"][1]["text"] == "entropy: 0.01"


def test_it_asks_nothing_of_the_network(run: Path) -> None:
    html = build([run]).html
    outside = set(re.findall(r"https?://[^\s\"'<>)]+", html)) - {"http://www.w3.org/2000/svg"}
    assert not outside and "@import" not in html and not re.search(r"url\(", html)
    assert not re.search(r"<(link|img|iframe|object|embed|base)\b", html) and " src=" not in html


def test_numbers_metrics_and_a_config_are_enough(run: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for name in ("config.toml", "metrics.jsonl"):
        shutil.copy(run / name, tmp_path / "run" / name)
    report = build([tmp_path / "run"])
    (found,) = data_of(report.html)["runs"]
    assert found["steps"][-1] == 40 and report.programs == 0
    assert any("there is no task buffer" in note for note in found["notes"])


def test_a_run_before_its_first_step_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[run]\nsteps = 3\n")
    (found,) = data_of(build([tmp_path]).html)["runs"]
    assert found["steps"] == [] and ["steps", "0 of 3"] in found["facts"]


def test_the_same_folder_gives_the_same_report(run: Path) -> None:
    one, other = (re.sub(r'"made":"[^"]*"', "", build([run]).html) for _ in range(2))
    assert one == other


def test_runs_are_compared_under_names_that_differ(run: Path, tmp_path: Path) -> None:
    for parent in ("a", "b"):
        shutil.copytree(run, tmp_path / parent / "run")
    found = data_of(build([tmp_path / "a" / "run", tmp_path / "b" / "run"]).html)
    assert [one["name"] for one in found["runs"]] == ["a/run", "b/run"]
    with pytest.raises(RunError, match="given twice"):
        build([tmp_path / "a" / "run", tmp_path / "b" / ".." / "a" / "run"])


def test_it_stays_small_however_much_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that cannot be compressed, more than fit: programs are left out evenly, not from the end."""
    rng = Random(1)
    make(tmp_path / "run", steps=30, completions=900, text=lambda text: f"{text}\n# {rng.randbytes(3000).hex()}")
    monkeypatch.setattr(module, "BYTES", 1 << 20)
    report = build([tmp_path / "run"])
    assert 10 < report.programs < report.of and len(report.html) < 1 << 20
    steps = [entry["step"] for entry in details_of(report.html)]
    assert steps == sorted(steps) and steps[0] <= 3 and steps[-1] >= 28


def test_long_runs_are_put_together_and_say_so(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    rows = "".join(json.dumps({"step": step, "update/loss": step % 2}) + "\n" for step in range(1, 3001))
    (tmp_path / "metrics.jsonl").write_text(rows)
    (found,) = data_of(build([tmp_path]).html)["runs"]
    assert len(found["steps"]) == 1000 and found["steps"][0] == 2 and found["metrics"]["update/loss"][0] == 0.66667
    assert "each point of a curve is the mean of 3 steps" in found["notes"]


def test_a_place_that_cannot_be_written_is_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="name another file by --out"):
        write(build([run]), tmp_path / "no such folder" / "report.html")


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--", "]]>", "&lt;", "\u2028", "$title"])
def test_no_text_ends_the_element_that_it_travels_in(text: str) -> None:
    html = page("<b>", {"text": text})
    assert data_of(html) == {"text": text}
    assert html.count("<script") == page("", {"text": ""}).count("<script") and "<b>" not in html
    assert not set("<>&\u2028\u2029") & set(island({"text": text}))


def test_what_is_broken_off_is_spread_evenly() -> None:
    assert sorted(spread(37)) == list(range(37)) and list(spread(0)) == [] and list(spread(1)) == [0]
    first = sorted(list(spread(1000))[:125])
    assert max(b - a for a, b in pairwise(first)) <= 8
