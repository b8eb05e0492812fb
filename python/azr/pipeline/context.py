"""A config within the positions that a model was made for."""

from azr.config import Config
from azr.errors import ConfigError

LEAST = 64
"""Tokens of a prompt with nothing in it: a model that holds no more cannot be asked."""


def fit(config: Config, positions: int) -> tuple[Config, str]:
    """The config with prompts that leave room for an answer, and what was changed, in a sentence; "" if nothing was.

    The engine ends a completion at the model's last position in any case. Prompts give way first, down to three
    quarters of the positions: they lose references, never their task.

    Args:
        positions: tokens of prompt and completion together that the model was made for; 0: not known.

    Raises:
        ConfigError: there is no room for any prompt.
    """
    prompt, answer = config.prompt.max_tokens, config.sampling.longest
    if not positions or prompt + answer <= positions:
        return config, ""
    if positions < 2 * LEAST:
        raise ConfigError(f"the model has {positions} positions, too few for a prompt and an answer")
    room = min(prompt, positions - min(answer, positions // 4))
    fitted = config.model_copy(update={"prompt": config.prompt.model_copy(update={"max_tokens": room})})
    return fitted, (
        f"the model has {positions} positions: prompts are held to {room} tokens, answers to what is left"
        f" (asked for: prompt.max_tokens = {prompt}, sampling.max_tokens = {answer})"
    )
