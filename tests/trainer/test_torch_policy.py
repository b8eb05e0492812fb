"""One optimizer step: its gradient, its bookkeeping, and its return from disk."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from azr.config import resolve
from azr.errors import ConfigError
from azr.pipeline.build import check, make_engine
from azr.rollouts.sync import log_probs_of
from azr.trainer.model import load_model
from azr.trainer.packing import pack
from azr.trainer.sharding import whole_copy
from azr.trainer.torch_policy import TorchPolicy
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role

pytestmark = pytest.mark.torch

Make = Callable[..., TorchPolicy]


@pytest.fixture
def make(tiny_model: Path) -> Make:
    def build(*overrides: str) -> TorchPolicy:
        config = resolve({}, ["train.optim.lr=1e-2", *overrides])
        return TorchPolicy(load_model(config.model.model_copy(update={"name": str(tiny_model)})), config)

    return build


def batch(count: int = 7, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    episodes = []
    for _ in range(count):
        prompt = tuple(int(x) for x in rng.integers(0, 256, rng.integers(1, 30)))
        answer = tuple(int(x) for x in rng.integers(0, 256, rng.integers(1, 20)))
        episodes.append(
            Episode(
                completion=Completion(
                    prompt=Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=prompt),
                    text="",
                    token_ids=answer,
                    log_probs=(-5.0,) * len(answer),
                    finished=True,
                ),
                reward=0.0,
            )
        )
    lengths = np.array([episode.length for episode in episodes])
    return Batch(episodes=tuple(episodes), advantages=rng.normal(size=count), weights=np.full(count, 1 / lengths.sum()))


def gradient(policy: TorchPolicy, given: Batch) -> list[torch.Tensor]:
    grads: list[torch.Tensor] = []
    policy._optimizer.step = lambda: grads.extend(p.grad.clone() for p in policy._model.parameters())  # type: ignore
    policy.update(given)
    return grads


def test_gradient_is_that_of_the_formula_written_out(make: Make) -> None:
    policy = make("train.loss.entropy=0.0", "train.optim.clip_norm=0", "train.loss.name=reinforce")
    given = batch()
    found = gradient(policy, given)
    model = make()._model
    total = torch.zeros(())
    for episode, advantage, weight in zip(given.episodes, given.advantages, given.weights, strict=True):
        prompt, answer = episode.completion.prompt.token_ids, episode.completion.token_ids
        logits = model(torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1]
        log_probs = logits.log_softmax(-1)[torch.arange(len(answer)), list(answer)]
        total = total - float(advantage) * float(weight) * log_probs.sum()
    total.backward()
    for ours, parameter in zip(found, model.parameters(), strict=True):
        torch.testing.assert_close(ours, parameter.grad, atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize("name", ["ppo", "gspo", "cispo", "reinforce", "dual_clip"])
def test_episodes_without_an_advantage_take_no_backward_pass_and_are_still_measured(
    make: Make, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    given = batch(8)
    given.advantages[[0, 2, 3, 6]] = 0.0
    settings = (f"train.loss.name={name}", "train.loss.entropy=0.0", "train.micro_batch_tokens=1")
    backward, passes = torch.Tensor.backward, list[torch.Tensor]()
    monkeypatch.setattr(torch.Tensor, "backward", lambda loss: (passes.append(loss), backward(loss))[1])
    short = make(*settings)
    stats = short.update(given)
    assert len(passes) == 4
    # A term that looks at all tokens keeps their passes.
    full = make(*settings, "train.loss.kl=1e-12")
    measured = full.update(given)
    assert len(passes) == 4 + 8
    assert stats.tokens == measured.tokens
    np.testing.assert_allclose(stats.entropy, measured.entropy, rtol=1e-5)
    for one, other in zip(short._model.parameters(), full._model.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("loss", ["ppo", "gspo", "cispo"])
def test_micro_batches_do_not_change_the_gradient(make: Make, loss: str) -> None:
    settings = (f"train.loss.name={loss}", "train.loss.kl=0.1", "train.old_log_probs=engine")
    whole = gradient(make(*settings), batch())
    cut = gradient(make(*settings, "train.micro_batch_tokens=1"), batch())
    for one, other in zip(whole, cut, strict=True):
        torch.testing.assert_close(one, other, atol=2e-6, rtol=1e-3)


def test_a_step_makes_good_completions_likelier_and_bad_ones_less_likely(make: Make) -> None:
    policy, given = make("train.optim.lr=1e-3"), batch()
    signs = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
    given = Batch(episodes=given.episodes, advantages=signs, weights=given.weights)

    def totals() -> np.ndarray:
        with torch.no_grad():
            micro_batch = pack(given, list(range(7)), "cpu")
            return (policy._scorer(micro_batch, 1.0)[0] * micro_batch.mask).sum(1).numpy()

    before = totals()
    policy.update(given)
    gain = totals() - before
    assert gain[signs > 0].mean() > 0 > gain[signs < 0].mean()


def test_broken_gradient_leaves_the_weights_alone(make: Make) -> None:
    policy, given = make(), batch()
    before = [p.clone() for p in policy._model.parameters()]
    broken = Batch(episodes=given.episodes, advantages=np.full(7, np.nan), weights=given.weights)
    stats = policy.update(broken)
    assert not np.isfinite(stats.grad_norm) and stats.skipped == 1
    assert all(torch.equal(a, b) for a, b in zip(before, policy._model.parameters(), strict=True))


def test_kl_to_the_start_is_zero_at_first_and_grows(make: Make) -> None:
    policy = make("train.loss.kl=0.01")
    assert policy.update(batch()).kl == pytest.approx(0.0, abs=1e-6)
    assert policy.update(batch()).kl > 1e-4


def test_several_updates_move_the_ratio_and_see_every_episode_once(make: Make) -> None:
    policy = make("train.updates=3")
    seen: list[int] = []
    for part, rows in policy._mini_batches(batch()):
        assert part.weights == pytest.approx(batch().weights[rows] * 3)
        seen.extend(rows.tolist())
    assert sorted(seen) == list(range(7))
    stats = policy.update(batch())
    assert stats.clip_share > 0 and (stats.entropy > 0).all()


def test_gap_to_the_engine_is_measured(make: Make) -> None:
    policy, given = make(), batch()
    micro_batch = pack(given, list(range(7)), "cpu")
    with torch.no_grad():
        log_probs, _ = policy._scorer(micro_batch, 1.0)
    expected = (log_probs + 5.0).abs()[micro_batch.mask]
    stats = policy.update(given)
    assert stats.mismatch_mean == pytest.approx(float(expected.mean()), rel=1e-4)
    assert stats.mismatch_max == pytest.approx(float(expected.max()), rel=1e-4)


def test_rows_are_scored_as_the_model_itself_scores_them(make: Make) -> None:
    policy = make("sampling.temperature=0.7")
    rows = [[1, 2, 3, 4], [5, 6, 7, 8]]
    np.testing.assert_allclose(policy.log_probs(rows), log_probs_of(policy.model, rows), rtol=1e-4, atol=1e-5)


def test_each_role_is_trained_at_the_temperature_that_it_was_sampled_at(make: Make) -> None:
    policy = make("sampling.temperature=0.7", "sampling.propose.temperature=1.5", "train.updates=2")
    given = batch()
    roles = [Role.PROPOSE if number % 2 else Role.SOLVE for number in range(len(given.episodes))]
    episodes = tuple(
        replace(e, completion=replace(e.completion, prompt=replace(e.completion.prompt, role=role)))
        for e, role in zip(given.episodes, roles, strict=True)
    )
    found = policy._old_log_probs(replace(given, episodes=episodes))
    assert found is not None and policy.model is not None
    for episode, role, values in zip(episodes, roles, found, strict=True):
        prompt, answer = episode.completion.prompt.token_ids, episode.completion.token_ids
        with torch.no_grad():
            logits = policy.model(torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1]
        wanted = (logits / (1.5 if role is Role.PROPOSE else 0.7)).log_softmax(-1)[range(len(answer)), list(answer)]
        np.testing.assert_allclose(values, wanted.numpy(), rtol=1e-4, atol=1e-4)


def test_products_in_bfloat16_train_float32_weights_on_a_cpu(make: Make) -> None:
    exact, rounded = gradient(make(), batch()), gradient(make("model.compute=bfloat16"), batch())
    assert all(grad.dtype is torch.float32 for grad in rounded)
    flat = [torch.cat([grad.flatten() for grad in grads]) for grads in (exact, rounded)]
    assert not torch.equal(*flat) and torch.cosine_similarity(*flat, dim=0) > 0.99


def test_a_copy_for_engines_is_cast_as_it_is_made(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weight is copied in its own type first; what is tied stays tied, and positions stay exact."""
    config = resolve({}, [f"model.name={tiny_model}", "model.compute=bfloat16"])
    model = load_model(config.model).model
    monkeypatch.setattr(torch.nn.Parameter, "__deepcopy__", lambda *_: pytest.fail("copied as it is"))
    copied = whole_copy(model, config, torch.device("cpu"))
    for own, other in zip(model.parameters(), copied.parameters(), strict=True):
        assert other.dtype == torch.bfloat16 and not other.requires_grad
        assert torch.equal(own.bfloat16(), other)
    assert copied.get_output_embeddings().weight is copied.get_input_embeddings().weight
    for (name, own), (_, other) in zip(model.named_buffers(), copied.named_buffers(), strict=True):
        assert own.dtype == other.dtype and own.data_ptr() != other.data_ptr(), name


def test_an_offload_that_would_do_nothing_is_refused(tiny_model: Path) -> None:
    settings = [f"model.name={tiny_model}", "ranks.offload=true"]
    for more in ("ranks.sharding=none", "model.lora.rank=8"):
        with pytest.raises(ConfigError, match=r"ranks\.offload = true moves sharded weights"):
            check(resolve({}, [*settings, more]))
    check(resolve({}, [*settings, "ranks.sharding=full"]))
    with pytest.raises(ConfigError, match=r"ranks\.offload = true moves sharded weights"):
        make_engine(resolve({}, settings))


def test_a_restored_policy_goes_on_bit_for_bit(make: Make, tmp_path: Path) -> None:
    policy = make()
    policy.update(batch(seed=1))
    policy.save(tmp_path)
    other = make()
    other.restore(tmp_path)
    assert other.step == 1
    for seed in (2, 3):
        one, two = policy.update(batch(seed=seed)), other.update(batch(seed=seed))
        assert (one.loss, one.grad_norm) == (two.loss, two.grad_norm)
    pairs = zip(policy._model.parameters(), other._model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_checkpoint_loads_as_a_plain_hugging_face_model(make: Make, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    policy = make()
    policy.update(batch())
    policy.save(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), policy._model.parameters(), strict=True))
    assert AutoTokenizer.from_pretrained(tmp_path).decode([0, 1])


def test_a_model_folder_can_name_its_template(tiny_model: Path, tmp_path: Path) -> None:
    from azr.config.lineage import template_of
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(tiny_model)
    config.azr_template = "terse"
    config.save_pretrained(tmp_path)
    assert (template_of(str(tmp_path)), template_of(str(tiny_model))) == ("terse", "think")
    assert (template_of("embedded"), template_of("org/name")) == ("terse", "think")


def moments(policy: TorchPolicy) -> list[float]:
    return [float(state["step"]) for state in policy._optimizer.state.values()]


def test_a_reset_forgets_the_moments_and_takes_the_kl_to_the_weights_of_then(make: Make) -> None:
    policy = make("train.loss.kl=0.01", "train.reset_every=2")
    found = [policy.update(batch(seed=step)) for step in range(3)]
    assert found[0].kl == pytest.approx(0.0, abs=1e-6) and found[1].kl > 1e-4
    assert found[2].kl == pytest.approx(0.0, abs=1e-6) and set(moments(policy)) == {1.0}


def test_the_reference_follows_by_its_share(make: Make) -> None:
    """After one step: a half of the way from the start to where the weights are."""
    policy, still = make("train.loss.kl=0.01", "train.loss.follow=0.5"), make("train.loss.kl=0.01")
    for one in (policy, still):
        one.update(batch())
    assert policy._start is not None and still._start is not None
    models = (policy._start.model, still._start.model, policy._model)
    for kept, start, now in zip(*(model.parameters() for model in models), strict=True):
        assert torch.allclose(kept, (start + now) / 2, atol=1e-6)


@pytest.mark.parametrize("settings", [("train.loss.follow=0.5",), ("train.reset_every=2",)])
def test_a_reference_that_moved_comes_back_from_disk(make: Make, tmp_path: Path, settings: tuple[str, ...]) -> None:
    policy = make("train.loss.kl=0.1", *settings)
    for seed in range(3):
        policy.update(batch(seed=seed))
    policy.save(tmp_path)
    again = make("train.loss.kl=0.1", *settings)
    again.restore(tmp_path)
    assert again.update(batch(seed=9)).kl == policy.update(batch(seed=9)).kl
    for one, other in zip(policy._model.parameters(), again._model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_lowered_rate_lowers_the_step(make: Make) -> None:
    policy = make()
    policy.rate = 0.25
    assert policy.update(batch()).lr == pytest.approx(2.5e-3)


@pytest.mark.parametrize("settings", [("ranks.sharding=full",), ("model.lora.rank=4",)])
def test_a_reference_without_a_copy_of_its_own_cannot_move(settings: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"weights that move"):
        check(resolve({}, ["train.loss.kl=0.1", "train.loss.follow=0.1", *settings]))
