"""The trainer on 1, 2 and 4 ranks: the same gradient, and checkpoints that any number of ranks takes up."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from processes import script

pytestmark = pytest.mark.ranks
HERE = Path(__file__).parent
WORLDS = (1, 2, 4)


@pytest.fixture(scope="module")
def results(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the ranks wrote. Each process is single-threaded, so that sums are taken in one order."""
    out = tmp_path_factory.mktemp("ranks")
    script(HERE / "work.py", tiny_model, out, more={"OMP_NUM_THREADS": "1"})
    return out


def load(results: Path, world: int, name: str) -> dict[str, Any]:
    return dict(torch.load(results / f"{world}-{name}.pt"))


def close(found: dict[str, Any], wanted: dict[str, Any], tolerance: float) -> None:
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=tolerance, atol=tolerance, msg=name)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("way", ["none", "full", "recomputed", "offloaded"])
def test_the_gradient_is_the_same_however_it_is_computed(results: Path, world: int, way: str) -> None:
    """In float64; sharded or not, with layers recomputed, with the optimizer's state on the CPU."""
    close(load(results, world, way), load(results, 1, "none"), 1e-9)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("way", ["none", "full"])
def test_episodes_without_a_gradient_leave_it_the_same(results: Path, world: int, way: str) -> None:
    """A forward pass alone must not leave weights gathered for the optimizer's step, for engines, for checkpoints."""
    wanted = load(results, 1, "still-none")
    assert wanted["stats"][1] > 0.0
    close(load(results, world, f"still-{way}"), wanted, 1e-9)


@pytest.mark.parametrize("world", WORLDS)
def test_what_two_ranks_saved_is_taken_up_by_any_number(results: Path, world: int) -> None:
    saved, found = load(results, 2, "checkpoints"), load(results, world, "checkpoints")
    for way in ("full", "none"):
        close(found[f"restored/{way}"], saved["saved"], 0.0)
        close(found[f"engine/{way}"], saved["saved"], 0.0)
        close(found[f"resumed/{way}"], saved["next"], 1e-6)


def test_a_split_checkpoint_is_a_hugging_face_model_too(results: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded = AutoModelForCausalLM.from_pretrained(results / "split")
    close(dict(loaded.named_parameters()), load(results, 2, "checkpoints")["saved"], 0.0)
    assert AutoTokenizer.from_pretrained(results / "split").decode([0, 1])


@pytest.mark.parametrize("world", WORLDS)
def test_the_ranks_train_on_every_episode_once(results: Path, world: int) -> None:
    shares = json.loads((results / f"{world}-shares.json").read_text())
    assert len(shares) == world and min(shares) > 0
    assert sum(shares) == len(load(results, 1, "none")["entropy"])
