"""`azr plan`: counts before anything is loaded, and refuses what cannot fit."""

from pathlib import Path

import pytest
from azr.cli.measure.plan import KNOWN, Shape, activations, counts, plan, shape_of
from azr.cli.plan import plan as command
from azr.cli.plan import read_gpus
from azr.config import load_config, resolve
from azr.errors import ConfigError
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
BASE_14B = ROOT / "configs" / "recipes" / "base-14b.toml"
CPU_OR_ANY = ("reference", "smollm2-135m")
PAPER = sorted(path for path in (ROOT / "configs" / "recipes").glob("*.toml") if path.stem not in CPU_OR_ANY)


def show(*arguments: str) -> str:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False).output


def test_parameters_are_counted_exactly(tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    assert shape_of(str(tiny_model)).parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "billions"), [("Qwen/Qwen2.5-0.5B", 0.494), ("Qwen/Qwen2.5-7B", 7.616), ("meta-llama/Llama-3.1-8B", 8.030)]
)
def test_published_models_have_their_published_sizes(name: str, billions: float) -> None:
    assert KNOWN[name].parameters / 1e9 == pytest.approx(billions, abs=0.001)


def test_kept_activations_are_those_of_a_measured_forward_pass(tiny_model: Path) -> None:
    """Within a third of what autograd keeps for the backward pass, weights and attention's own blocks aside."""
    import numpy as np
    import torch
    from azr.trainer.model import load_model
    from azr.trainer.packing import pack
    from azr.trainer.scoring import score
    from azr.types import Batch, Completion, Episode, Kind, Prompt, Role

    config = resolve({}, [f"model.name={tiny_model}"])
    model = load_model(config.model).model
    prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=tuple(range(200)))
    done = Completion(prompt=prompt, text="", token_ids=(1,) * 56, log_probs=(0.0,) * 56, finished=True)
    batch = Batch(episodes=(Episode(completion=done, reward=0.0),), advantages=np.ones(1), weights=np.ones(1))
    micro_batch = pack(batch, [0], "cpu")
    kept: dict[int, int] = {}
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = score(model, micro_batch, 1.0)
    sized = config.model_copy(
        update={"train": config.train.model_copy(update={"micro_batch_tokens": len(micro_batch.ids)})}
    )
    assert outputs[0].requires_grad
    assert sum(kept.values()) == pytest.approx(activations(shape_of(str(tiny_model)), sized, 4), rel=1 / 3)


def test_counts_of_the_published_step() -> None:
    completions, _, calls = counts(resolve({}))
    assert completions == 3 * 64 * (1 + 1 + 8)
    assert calls == (2 * 64 + 64 + 64 * 8) * (1 + 1 + 10)


def test_a_domains_induction_is_counted_as_plain_pythons() -> None:
    plain, own = (resolve({}, [f'tasks.kinds=["{kind}"]']) for kind in ("induction", "tables.induction"))
    assert counts(own) == counts(plain)


def test_more_ranks_need_less_of_each_gpu() -> None:
    path, shape = ROOT / "configs" / "recipes" / "base-7b.toml", KNOWN["Qwen/Qwen2.5-7B"]
    config = load_config(path)
    sizes = [sum(plan(config, gpus, 80e9, shape).trainer.values()) for gpus in (1, 2, 4, 8)]
    assert sizes == sorted(sizes, reverse=True)
    offloaded = load_config(path, ["ranks.offload=true"])
    assert sizes[2] - sum(plan(offloaded, 4, 80e9, shape).trainer.values()) == shape.parameters * 16 / 4


def test_an_offload_that_would_do_nothing_is_refused() -> None:
    shape = KNOWN["Qwen/Qwen2.5-0.5B"]
    auto = resolve({}, ["ranks.offload=true"])
    assert plan(auto, 2, 80e9, shape).host["optimizer"] > 0
    for config, gpus in (
        (auto, 1), (resolve({}, ["ranks.offload=true", "ranks.sharding=none"]), 2),
        (resolve({}, ["ranks.offload=true", "model.lora.rank=8"]), 2),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=r"ranks\.offload = true moves sharded weights"):
            plan(config, gpus, 80e9, shape)
    with pytest.raises(ConfigError, match=r"Most is optimizer: take more GPUs, or train an adapter"):
        show("--config", str(BASE_14B), "--gpus", "8x80GB", "--set", "ranks.sharding=none")


def test_the_engine_keeps_its_share_of_a_gpu_unless_it_sleeps() -> None:
    shape = KNOWN["Qwen/Qwen2.5-14B"]
    asleep, awake = (
        plan(load_config(BASE_14B, [f"engine.vllm.sleep={value}", "engine.vllm.memory=0.4"]), 8, 80e9, shape)
        for value in ("true", "false")
    )
    assert awake.trainer["engine's share"] == 0.4 * 80e9 and asleep.trainer["engine's share"] == 0.0
    assert awake.engine == asleep.engine and awake.engine["engine's share"] == 0.4 * 80e9
    # 2 bytes of 14.77B weights; keys and values of 8 heads of 128 in 48 layers, for 6144 + 8096 tokens.
    assert asleep.share["weights"] / 1e9 == pytest.approx(29.54, abs=0.01)
    assert asleep.share["one longest text"] == 2 * 2 * 48 * 8 * 128 * (6144 + 8096)


def test_gpus_that_share_an_engine_share_its_weights_and_its_cache() -> None:
    shape = KNOWN["Qwen/Qwen2.5-14B"]
    one, two, eight = (
        plan(load_config(BASE_14B, [f"engine.vllm.tensor_parallel={n}"]), 8, 80e9, shape) for n in (1, 2, 8)
    )
    assert two.share["weights"] == one.share["weights"] / 2 and eight.share["weights"] == one.share["weights"] / 8
    assert two.share["one longest text"] == one.share["one longest text"] / 2
    assert two.engine == one.engine and two.trainer == one.trainer, "its share is of each GPU"
    few = KNOWN["Qwen/Qwen2.5-7B"]  # 4 key heads on 7 GPUs: one each
    caches = [
        plan(load_config(BASE_14B, [f"engine.vllm.tensor_parallel={n}"]), 28, 80e9, few).share["one longest text"]
        for n in (1, 4, 7)
    ]
    assert caches == [caches[0], caches[0] / 4, caches[0] / 4]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (("engine.vllm.sleep=false",), "training needs .* Most is engine's share: set engine.vllm.sleep = true"),
        (("engine.vllm.memory=0.4",), "engine.vllm.memory = 0.4 gives the engine 32.0 GB, .* need 33.8 GB"),
        (("engine.vllm.memory=0.9",), "sampling needs .* or lower engine.vllm.memory"),
        (("engine.vllm.tensor_parallel=3",), "tensor_parallel = 3: the number of GPUs .8. must be a multiple"),
        (("engine.vllm.tensor_parallel=16",), "tensor_parallel = 16: the number of GPUs"),
        (("model.name=Qwen/Qwen2.5-0.5B", "engine.vllm.tensor_parallel=4"), "has to divide the model's 14 attention"),
    ],
)
def test_an_engine_without_room_is_refused(settings: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        show("--config", str(BASE_14B), "--gpus", "8x80GB", *(part for each in settings for part in ("--set", each)))


@pytest.mark.parametrize("path", PAPER, ids=lambda path: path.stem)
def test_every_recipe_fits_the_gpus_that_it_names(path: Path) -> None:
    gpus = path.read_text().partition("--gpus ")[2].split()[0]
    assert show("--config", str(path), "--gpus", gpus).endswith("fits\n")


def test_what_cannot_fit_is_refused_with_the_part_that_is_too_large() -> None:
    with pytest.raises(
        ConfigError, match=r"does not fit 1 x 80 GB: training needs .* Most is optimizer: take more GPUs"
    ):
        show("--config", str(BASE_14B), "--gpus", "1x80GB")


@pytest.mark.parametrize("text", ["8", "80GB", "0x80GB", "x", "8x80TB"])
def test_gpus_that_cannot_be_read_are_an_error_of_the_user(text: str) -> None:
    with pytest.raises(ConfigError, match="8x80GB"):
        read_gpus(text)


def test_a_model_that_is_not_decoder_only_is_named_as_such() -> None:
    with pytest.raises(ConfigError, match="hidden_size"):
        Shape.read({"num_attention_heads": 4})


def test_a_mixture_of_experts_is_not_counted_as_dense() -> None:
    with pytest.raises(ConfigError, match=r"mixture of experts \(num_experts = 128\)"):
        Shape.read({"hidden_size": 2048, "num_attention_heads": 32, "num_experts": 128})
