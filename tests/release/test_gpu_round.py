"""`benchmarks/gpu_round.py`: its limits keep within the budget, and no part takes others along."""

import contextlib
import importlib.util
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from azr.config import load_config
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]


def load() -> ModuleType:
    """A script, which is no package."""
    spec = importlib.util.spec_from_file_location("gpu_round_script", ROOT / "benchmarks" / "gpu_round.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gpu_round = load()
place_of, smollm2, vllm = (sys.modules[f"gpu_parts.{name}"] for name in ("place", "smollm2", "vllm"))
Part, Place = place_of.Part, place_of.Place


def ends(process: int) -> bool:
    """Whether it does: one that was not killed sleeps on, past this test's time."""
    state = Path(f"/proc/{process}/stat")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while state.read_text().rpartition(")")[2].split()[0] not in "ZX":
            time.sleep(0.01)
    return True


def nothing(place: Any, end: float) -> dict[str, Any]:
    return {}


@given(
    st.lists(st.tuples(st.floats(1, 200), st.floats(0, 500)), min_size=1, max_size=12), st.floats(-10, 3000),
    st.floats(0.1, 10),
)  # fmt: skip
def test_limits_are_in_all_at_most_what_is_left(sizes: list[tuple[float, float]], left: float, slow: float) -> None:
    parts = [Part(str(n), least, least + more, nothing) for n, (least, more) in enumerate(sizes)]
    found = gpu_round.limits(parts, left, slow)
    assert sum(found) <= max(left, 0.0) + 1e-6
    for part, limit in zip(parts, found, strict=True):
        assert limit == 0.0 or part.least * slow <= limit <= part.wanted * slow + 1e-6


@pytest.mark.parametrize("budget", [60.0, 200.0, 500.0, gpu_round.BUDGET, 5000.0])
def test_the_parts_fit_into_a_budget_and_the_first_come_first(budget: float) -> None:
    """Even where each takes all of its limit."""
    parts, left, answered = list(gpu_round.PARTS), budget, []
    while parts:
        limit = gpu_round.limits(parts, left)[0]
        assert limit <= left
        left -= limit
        answered += [parts.pop(0).name] if limit else [parts.pop(0).name[:0]]
    names = [part.name for part in gpu_round.PARTS]
    assert answered[0] == names[0]
    if budget >= gpu_round.BUDGET:
        assert answered == names


def test_what_a_part_leaves_goes_to_the_next() -> None:
    parts = [Part("a", 10, 20, nothing), Part("b", 10, 100, nothing)]
    assert gpu_round.limits(parts, 40.0) == [20.0, 20.0]
    assert gpu_round.limits(parts[1:], 39.0) == [39.0]  # a took one second
    assert gpu_round.limits(parts, 15.0) == [15.0, 0.0]


def test_every_part_is_described() -> None:
    text = str(gpu_round.__doc__)
    assert all(part.name.split("-")[0] in text and part.least <= part.wanted for part in gpu_round.PARTS)


def test_a_part_that_is_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    """An engine's process would go on holding the GPU, and its pipes."""
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1e6)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(1e6)"
    )
    (tmp_path / "pid").touch()
    seconds = 1.0
    while not (tmp_path / "pid").read_text():  # the slower the machine, the later it is stopped
        with pytest.raises(subprocess.TimeoutExpired):
            place_of.run([sys.executable, "-c", code], time.monotonic() + seconds)
        seconds *= 4.0
    assert ends(int((tmp_path / "pid").read_text()))


def test_whoever_ends_the_round_ends_the_part_under_way(tmp_path: Path) -> None:
    """As a lent machine's time limit does."""
    part = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(1e6)"
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'benchmarks')!r})\n"
        f"import gpu_round as g; from gpu_parts.place import Part, run\n"
        f"g.PARTS = (Part('a', 500, 500, lambda place, end: run([sys.executable, '-c', {part!r}], end)),)\n"
        f"sys.argv = ['gpu_round.py', '--toy', '--out', {str(tmp_path / 'out.json')!r}]\ng.main()"
    )
    (tmp_path / "pid").touch()
    whole = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while not (pid := (tmp_path / "pid").read_text()):
        assert whole.poll() is None
        time.sleep(0.01)
    whole.terminate()
    assert whole.wait() == 143 and ends(int(pid))


def test_a_command_is_asked_to_stop_before_it_is_killed() -> None:
    code = (
        "import signal, time\nsignal.signal(signal.SIGINT, lambda *_: (print('saved'), exit(0)))\n"
        "print('on', flush=True)\ntime.sleep(1e6)"
    )
    seconds, said = 1.0, ""
    while "on" not in said:  # the slower the machine, the later it is asked
        try:
            said = place_of.run_until([sys.executable, "-c", code], time.monotonic() + 600.0, 600.0 - seconds).stdout
        except subprocess.CalledProcessError:
            seconds *= 4.0
    assert said.split() == ["on", "saved"]


def test_a_failing_part_is_noted_and_the_next_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(place: Any, end: float) -> dict[str, Any]:
        raise subprocess.CalledProcessError(1, ["x"], stderr="no such device")

    def out_of_place(place: Any, end: float) -> dict[str, Any]:
        raise place_of.LeftOut("not here")

    parts = (
        Part("a", 1, 2, fails), Part("b", 1, 2, out_of_place), Part("c", 1, 2, lambda place, end: {"found": 1}),
        Part("d", 1, 2, nothing, lambda place: "never"), Part("e", 1e9, 1e9, nothing),
    )  # fmt: skip
    out = tmp_path / "new" / "out.json"
    monkeypatch.setattr(gpu_round, "PARTS", parts)
    monkeypatch.setattr(sys, "argv", ["gpu_round.py", "--toy", "--out", str(out)])
    gpu_round.main()
    found = json.loads(out.read_text())["parts"]
    assert found["a"]["said"] == "no such device" and found["b"]["left_out"] == "not here" and found["c"]["found"] == 1
    assert found["d"] == {"left_out": "never"} and found["e"] == {"left_out": "no time was left"}
    assert "d: " in capsys.readouterr().err
    monkeypatch.setattr(gpu_round, "PARTS", (Part("c", 1, 2, lambda place, end: {"found": 2}), *parts[3:]))
    monkeypatch.setattr(sys, "argv", ["gpu_round.py", "--toy", "--out", str(out), "--only", "c"])
    gpu_round.main()
    again = json.loads(out.read_text())["parts"]
    assert again["c"]["found"] == 2 and again["a"].items() >= found["a"].items()


@pytest.mark.parametrize(
    ("requirements", "torch", "said"),
    [
        (["torch==2.11.0", "numpy"], "2.11.0+cu130", ""),
        (["torch==2.11.0"], "2.13.0", "vllm 0.32.0 is for torch 2.11.0, and 2.13.0 is installed"),
        (['torch==2.13.0+cpu; platform_machine == "x86_64"', "torch==2.13.0; x", "torchaudio"], "2.13.0+cpu", ""),
        (["torch>=2.9"], "2.13.0", ""),
    ],
)
def test_vllm_for_another_torch_is_left_out(
    requirements: list[str], torch: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {"vllm": "0.32.0", "torch": torch}
    monkeypatch.setattr(vllm, "version", lambda name: versions.get(name, ""))
    monkeypatch.setattr(vllm.metadata, "requires", lambda name: requirements)
    assert vllm.left_out(Place(False, Path())) == said
    versions.clear()
    assert vllm.left_out(Place(False, Path())) == "vllm not installed"


def test_smollm2_without_a_model_is_left_out(tmp_path: Path) -> None:
    assert "--smollm2" in smollm2.left_out(Place(False, tmp_path))
    assert "is not there" in smollm2.left_out(Place(False, tmp_path, tmp_path / "none"))
    assert smollm2.left_out(Place(False, tmp_path, tmp_path)) == ""


@pytest.mark.parametrize("toy", [True, False])
def test_the_settings_of_the_parts_are_ones_of_azr(toy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For none of them is a lent GPU waiting when a key has changed."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "tokenizer_config.json").touch()
    begun: list[list[str]] = []

    def remember(command: list[str], *_: float) -> None:
        begun.append(command)
        raise place_of.LeftOut("only the command is wanted")

    for module in (sys.modules["gpu_parts.train"], smollm2, vllm):
        monkeypatch.setattr(module, "run_until" if module is smollm2 else "run", remember)
    monkeypatch.setattr(vllm, "_load", lambda place, end: None)
    for warm in (False, True):
        if warm:
            (tmp_path / "heldout.jsonl").touch()
        place = Place(toy, tmp_path, tmp_path)
        for part in [part for part in gpu_round.PARTS if part.name != "check" and "update" not in part.name]:
            with pytest.raises(place_of.LeftOut):
                part.ask(place, time.monotonic() + 600.0)
    assert {command[3] for command in begun} == {"train", "warmup"} and len(begun) == 14
    for command in begun:
        recipe = Path(command[command.index("--config") + 1]) if "--config" in command else None
        load_config(recipe, [value for flag, value in itertools.pairwise(command) if flag == "--set"])


def row(step: int, score: float | None = None) -> dict[str, Any]:
    names = ("sampled", "greedy", "passed", "error", "tasks")
    probe = {} if score is None else {f"probe/{name}": score for name in names}
    more = {"validate/propose/deduction/valid": 3, "validate/propose/deduction/count": 8} if step else {}
    return {"step": step, "seconds/step": 2.0, **more, **probe}


def test_the_probe_before_and_after_is_read_from_the_run() -> None:
    found = smollm2.read([row(0, 0.1), row(1), row(2, 0.3), row(3)])
    assert (found["before"]["sampled"], found["after"]["sampled"], found["steps"]) == (0.1, 0.3, 2)
    assert (found["seconds"], found["valid"], found["proposals"]) == (4.0, 6, 16)
    assert smollm2.read([row(0, 0.1), row(1)])["after"] is None
    with pytest.raises(ValueError, match="no time for the first probe"):
        smollm2.read([])


def test_parts_that_are_kept_say_how_they_were_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_round, "PARTS", tuple(Part(name, 1, 2, nothing) for name in "abc"))
    out = tmp_path / "out.json"

    def measure(day: str, *more: str) -> dict[str, Any]:
        found = json.loads(out.read_text()) if out.exists() else {}
        out.write_text(json.dumps(found | {"date": day})) if found else None  # as if it were of that day
        monkeypatch.setattr(sys, "argv", ["gpu_round.py", "--toy", "--out", str(out), *more])
        gpu_round.main()
        return json.loads(out.read_text())

    measure("", "--only", "a")
    measure("2026-01-01", "--only", "b")
    found = measure("2026-02-02", "--only", "c")
    assert [found["parts"][name].get("of", {}).get("date") for name in "abc"] == ["2026-01-01", "2026-02-02", None]
    assert found["parts"]["a"]["of"]["command"].endswith("--only a")
    assert set(found["parts"]["a"]["of"]) == {"date", "command", "python", "versions", "device"}


@pytest.mark.parametrize("budget", ["0", "-5", "nan"])
def test_a_budget_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], budget: str
) -> None:
    monkeypatch.setattr(gpu_round, "PARTS", (Part("a", 1, 2, nothing),))
    monkeypatch.setattr(sys, "argv", ["gpu_round.py", "--toy", "--out", str(tmp_path / "o"), f"--budget={budget}"])
    with pytest.raises(SystemExit):
        gpu_round.main()
    assert "more than 0 seconds" in capsys.readouterr().err
