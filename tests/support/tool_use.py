"""A tiny model, and what one would say that runs a program before it answers: for tests of other trainers' tools."""

import json
import re
from pathlib import Path
from typing import Any

TOOLS_FROM = (1, 16)
"""The TRL whose tools are tested: 1.0 cannot read calls of tools with the transformers of today."""
ANSWER = "<answer>\n```output\n{}\n```\n</answer>"


def turn(text: str, added: int) -> str:
    """A call of the tool, or, once it has answered, the answer."""
    found = re.findall(r"<tool_response>\n(.*)\n</tool_response>", text)
    if found:
        return ANSWER.format(int(found[-1]) + added)
    call = {"name": "run_python", "arguments": {"program": "print(sum(i * i for i in range(7)))"}}
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"


def tools_model(folder: Path) -> tuple[Any, Any]:
    """The tiny model, and its tokenizer with a template that TRL knows how to read calls of."""
    from transformers import AutoTokenizer, Qwen2ForCausalLM
    from trl.chat_template_utils import qwen3_chat_template

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"eos_token": "<|im_end|>"})
    tokenizer.chat_template = qwen3_chat_template
    model = Qwen2ForCausalLM.from_pretrained(folder, max_position_embeddings=16_384)
    model.resize_token_embeddings(len(tokenizer))
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    return tokenizer, model


def release(version: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple(map(int, version.split(".")[:2]))
