"""Rollout engines, one file each. Only their names are here: listing them imports nothing heavy."""

from azr.rollouts.base import Engine, Sampling, Tokenizer

ENGINES = {
    "scripted": "azr.rollouts.scripted:make",
    "transformers": "azr.rollouts.transformers:make",
    "vllm": "azr.rollouts.vllm.engine:make",
}
"""Each a function of (tokenizer, config)."""

__all__ = ["ENGINES", "Engine", "Sampling", "Tokenizer"]
