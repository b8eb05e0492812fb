"""A checkpoint is whole or not there, and the earlier ones survive whatever happens to it."""

import os
from pathlib import Path

import pytest
from azr.errors import CheckpointError
from azr.trainer import checkpoint


def fill(text: str = "weights") -> "object":
    def write(folder: Path) -> None:
        (folder / "model.bin").write_text(text, "ascii")
        (folder / "sub").mkdir()
        (folder / "sub" / "state").write_text("state", "ascii")

    return write


def test_written_checkpoint_verifies_and_is_the_newest(tmp_path: Path) -> None:
    for step in (5, 10, 100):
        checkpoint.verify(checkpoint.write(tmp_path, step, fill()))
    assert checkpoint.steps(tmp_path) == [5, 10, 100]
    assert checkpoint.newest(tmp_path) == tmp_path / "step_100"


def test_failure_while_writing_leaves_the_last_good_one(tmp_path: Path) -> None:
    good = checkpoint.write(tmp_path, 1, fill())

    def break_down(folder: Path) -> None:
        (folder / "model.bin").write_text("half", "ascii")
        raise OSError(28, "No space left on device")

    with pytest.raises(CheckpointError, match=r"No space left on device.*last good checkpoint is .*step_1"):
        checkpoint.write(tmp_path, 2, break_down)
    checkpoint.verify(good)
    assert [path.name for path in tmp_path.iterdir()] == ["step_1"]


def test_a_place_that_cannot_be_written_to_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file, not a folder", "ascii")
    with pytest.raises(CheckpointError, match=r"cannot write the checkpoint .*there is no earlier checkpoint"):
        checkpoint.write(tmp_path / "checkpoints", 1, fill())


@pytest.mark.parametrize("damage", ["change", "remove", "add", "manifest"])
def test_damage_is_found(tmp_path: Path, damage: str) -> None:
    folder = checkpoint.write(tmp_path, 1, fill())
    if damage == "change":
        (folder / "model.bin").write_text("weighty", "ascii")
    elif damage == "remove":
        (folder / "sub" / "state").unlink()
    elif damage == "add":
        (folder / "extra").write_text("", "ascii")
    else:
        (folder / "manifest.json").write_text("{", "ascii")
    with pytest.raises(CheckpointError, match=r"damaged|cannot be read"):
        checkpoint.verify(folder)


def test_what_a_crash_left_half_written_is_not_a_checkpoint_and_is_removed(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, 1, fill())
    half = tmp_path / ".writing-step_2"
    half.mkdir()
    (half / "model.bin").write_text("ha", "ascii")
    assert checkpoint.steps(tmp_path) == [1]
    checkpoint.prune(tmp_path, 2, 0)
    assert not half.exists()


def test_prune_keeps_the_last_and_the_round_ones(tmp_path: Path) -> None:
    for step in range(1, 13):
        checkpoint.write(tmp_path, step, fill())
    checkpoint.prune(tmp_path, 2, 5)
    assert checkpoint.steps(tmp_path) == [5, 10, 11, 12]


def test_a_step_done_again_replaces_its_checkpoint(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, 1, fill("old"))
    folder = checkpoint.write(tmp_path, 1, fill("new"))
    assert (folder / "model.bin").read_text("ascii") == "new"
    checkpoint.verify(folder)


def test_files_reach_the_disk_before_the_name_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    real_replace, real_flush = os.replace, checkpoint._flush
    monkeypatch.setattr(os, "replace", lambda a, b: (events.append("rename"), real_replace(a, b)))
    monkeypatch.setattr(checkpoint, "_flush", lambda path: (events.append(path.name), real_flush(path)))
    checkpoint.write(tmp_path, 1, fill())
    assert {"model.bin", "state", "manifest.json"} <= set(events[: events.index("rename")])
