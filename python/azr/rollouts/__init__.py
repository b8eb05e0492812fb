"""Rollout engines, one file each. Only the names stand here: nothing heavy is imported by looking one up."""

from azr.rollouts.base import Engine, Sampling, Tokenizer

ENGINES = {
    "scripted": "azr.rollouts.scripted:ScriptedEngine",
    "transformers": "azr.rollouts.transformers:TransformersEngine",
}

__all__ = ["ENGINES", "Engine", "Sampling", "Tokenizer"]
