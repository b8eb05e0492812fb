"""Fixtures that several folders share: a tiny random model with a byte tokenizer, made on the spot."""

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from azr.pipeline.parts import Parts
from azr.rollouts.scripted import Script
from hypothesis import settings

pytest_plugins = ["leftovers", "tiers"]
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# No test may fail because the machine is busy, or because of what was drawn on that day. `--hypothesis-profile=search`
# draws anew on each run: a failure found so gets its own test.
settings.register_profile("azr", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("azr")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def _draws_are_the_same_in_every_run() -> None:
    random.seed(0)
    np.random.seed(0)
    # Not imported for this: that takes seconds. In quick tests it is None.
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(0)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a randomly initialised Qwen2-shaped model of two layers and its tokenizer."""
    return _random_model(tmp_path_factory.mktemp("tiny-model"), hidden=32, heads=4)


@pytest.fixture(scope="session")
def vllm_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with heads as large as vLLM's kernels for CPUs want them."""
    return _random_model(tmp_path_factory.mktemp("vllm-model"), hidden=128, heads=4)


def _random_model(folder: Path, hidden: int, heads: int) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", pad_token="<pad>")
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=heads,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.2,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def make_parts(tmp_path: Path) -> Callable[..., Parts]:
    """Parts around a script; small sizes, overridden by `key=value`; the buffer holds the identity tasks."""
    from azr.config import resolve
    from azr.pipeline.build import assemble
    from azr.rollouts.scripted import ScriptedEngine
    from azr.run.seed import POOLED, identity_tasks

    sizes = ["propose.batch=3", "solve.batch=3", "solve.trials=4", "tasks.inputs=4", "prompt.template=think"]

    made: list[Path] = []

    def make(script: Script = lambda prompt, draw: "", *overrides: str) -> Parts:
        folder = tmp_path / ("buffer" if not made else f"buffer-{len(made)}")
        made.append(folder)
        parts = assemble(resolve({}, [*sizes, *overrides]), ScriptedEngine(script), folder, 0)
        identity = identity_tasks(parts.kinds, parts.config.tasks.inputs, parts.sandbox)
        parts.store.add([task for task in identity if task.kind in (*parts.config.tasks.kinds, *POOLED)])
        return parts

    return make


# Not for the session: while Playwright is open, this thread has an event loop, and no other test could start one.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium: the system's, or the one that `playwright install chromium` brought."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=600_000)  # only a page that never gets there fails, however busy the machine is
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    own = next((path for name in names if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        if own is None and not Path(playwright.chromium.executable_path).exists():
            pytest.fail("these tests need Chromium: `make browser` installs it")
        browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def hostile() -> Callable[[str], str]:
    """Makes texts hostile: markup, scripts, terminal escapes, directions of writing, what breaks encodings."""
    payloads = (
        "</script><script>window.owned = 1</script>",
        "<img src=x onerror='window.owned = 1'><svg onload='window.owned = 1'>",
        "<!--<script>window.owned = 1//--></textarea></title></pre></style>",
        "\"><a href='javascript:window.owned=1'>x</a><iframe srcdoc='<script>parent.owned=1</script>'>",
        "${window.owned=1} {{window.owned=1}} `+(window.owned=1)+` \\u003cscript>",
        "<meta http-equiv=refresh content='0;url=http://198.51.100.7/'><link rel=stylesheet href=http://198.51.100.7/>",
        "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://198.51.100.7\x1b\\\x9b31m\x00\x08\r",
        "\u202e owned \u2066\u200f\u061c\ufeff\u200b\U000e0041",
        "half \ud83d and \udfff",
        "__proto__ constructor toString",
    )

    def make(text: str) -> str:
        return f"{text}\n# " + "\n# ".join(payloads)

    return make
