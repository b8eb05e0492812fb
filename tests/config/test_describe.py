"""`azr config` and the reference page say of every key what it means."""

import re
from collections.abc import Mapping

import pytest
from azr.config.base import Section
from azr.config.describe import Key, keys
from azr.config.schema import DomainConfig, TermConfig
from azr.rewards import PROPOSER, SOLVER
from azr.rollouts import ENGINES
from azr.trainer.advantages import ADVANTAGES
from azr.trainer.losses import LOSSES
from azr.trainer.mismatch import CORRECTIONS

KEYS = list(keys())


def test_every_key_has_a_meaning() -> None:
    assert [key.name for key in KEYS if not key.meaning] == []


@pytest.mark.parametrize("table", [DomainConfig(name="python"), TermConfig(name="novelty")])
def test_every_key_of_a_list_of_tables_has_a_meaning(table: Section) -> None:
    assert [key.name for key in keys(table) if not key.meaning] == []


UNITS = {
    "seconds": "Seconds", "_s": "Seconds", "bytes": "Bytes", "gib": "GiB", "tokens": "[Tt]okens|prompts",
    "chars": "Characters", "steps": "[Ss]teps", "rate": "[Ss]hare", "share": "[Ss]hare",
}  # fmt: skip
"""What a key's name ends with, and what its text has to say then."""


@pytest.mark.parametrize("key", KEYS, ids=[key.name for key in KEYS])
def test_a_meaning_is_a_sentence_that_names_the_unit(key: Key) -> None:
    assert key.meaning.endswith("."), key.meaning
    for ending, unit in UNITS.items():
        if key.name.endswith(ending):
            assert re.search(unit, key.meaning), key.meaning


def test_a_key_without_a_text_is_found() -> None:
    class Silent(Section):
        """A table."""

        told: int = 1
        """What it is."""
        untold: int = 2

    assert [key.name for key in keys(Silent()) if not key.meaning] == ["untold"]


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("reward.proposer.name", PROPOSER), ("reward.solver.name", SOLVER), ("engine.name", ENGINES),
        ("train.advantage", ADVANTAGES), ("train.loss.name", LOSSES), ("train.mismatch.name", CORRECTIONS),
    ],
)  # fmt: skip
def test_the_meaning_of_a_key_says_every_name_that_it_takes(key: str, names: Mapping[str, object]) -> None:
    (meaning,) = [one.meaning for one in keys() if one.name == key]
    missing = [name for name in names if not re.search(rf"\b{name}\b", meaning)]
    assert not missing, f"the text of {key} in config/schema.py does not say {missing}"
