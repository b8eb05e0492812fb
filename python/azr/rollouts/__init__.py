"""Rollout engines, one file each. Only the names stand here: nothing heavy is imported by looking one up."""

from azr.rollouts.base import Engine, Sampling, Tokenizer

ENGINES = {
    "scripted": "azr.rollouts.scripted:make",
    "transformers": "azr.rollouts.transformers:make",
    "vllm": "azr.rollouts.vllm.engine:make",
}
"""Each a function of (tokenizer, config)."""

__all__ = ["ENGINES", "Engine", "Sampling", "Tokenizer"]
