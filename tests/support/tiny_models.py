"""What tests of other trainers ask a small model for."""

import hashlib
from pathlib import Path
from typing import Any

import torch

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def chat_model(tiny_model: Path, folder: Path) -> Path:
    """The tiny model with a template, and with the end of a turn that trainers want of a Qwen."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.add_special_tokens({"eos_token": "<|im_end|>"})
    tokenizer.chat_template = TEMPLATE
    made = AutoModelForCausalLM.from_pretrained(tiny_model)
    made.resize_token_embeddings(len(tokenizer))
    made.config.eos_token_id = made.generation_config.eos_token_id = tokenizer.eos_token_id
    tokenizer.save_pretrained(folder)
    made.save_pretrained(folder)
    return folder


def digest(weights: dict[str, torch.Tensor]) -> str:
    """Of all weights' bits."""
    found = hashlib.sha256()
    for name, weight in sorted(weights.items()):
        found.update(name.encode() + weight.detach().float().contiguous().numpy().tobytes())
    return found.hexdigest()


def log_probs(model: Any, prompt_ids: list[int], ids: list[int]) -> torch.Tensor:
    """Of an answer's tokens."""
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt_ids, *ids]])).logits[0, len(prompt_ids) - 1 : -1]
    return logits.log_softmax(-1).gather(1, torch.tensor(ids)[:, None])[:, 0]
