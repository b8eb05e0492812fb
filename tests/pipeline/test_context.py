"""A config within the positions that a model was made for."""

import pytest
from azr.config import resolve
from azr.errors import ConfigError
from azr.pipeline.context import fit


def test_a_config_that_fits_stays_as_it_is() -> None:
    config = resolve({}, ["prompt.max_tokens=300", "sampling.max_tokens=200"])
    assert fit(config, 500) == (config, "")
    assert fit(config, 0) == (config, ""), "not known"


def test_prompts_give_way_and_a_sentence_says_so() -> None:
    config, note = fit(resolve({}, ["prompt.max_tokens=6144", "sampling.max_tokens=8096"]), 2048)
    assert config.prompt.max_tokens == 1536 and config.sampling.max_tokens == 8096
    assert "2048 positions" in note and "1536" in note and "6144" in note and "8096" in note


def test_a_short_answer_takes_only_its_own_room() -> None:
    config, _ = fit(resolve({}, ["prompt.max_tokens=6144", "sampling.max_tokens=100"]), 2048)
    assert config.prompt.max_tokens == 1948


def test_a_model_without_room_is_refused() -> None:
    with pytest.raises(ConfigError, match="100 positions, too few"):
        fit(resolve({}, []), 100)
