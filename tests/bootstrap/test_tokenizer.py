"""The embedded model's tokenizer."""

import numpy as np
import pytest
from azr.bootstrap.grammar import draw_chain
from azr.bootstrap.tokenizer import END, make_tokenizer
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.torch

TOKENIZER = make_tokenizer()


def ids(text: str) -> list[int]:
    return list(TOKENIZER.encode(text, add_special_tokens=False))


@given(
    st.text(st.characters(codec="utf-8"), max_size=60).filter(lambda text: "<end>" not in text and "<pad>" not in text)
)
def test_any_text_comes_back(text: str) -> None:
    assert TOKENIZER.decode(ids(text)) == text


def test_programs_come_back() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        source = draw_chain(rng).source
        assert TOKENIZER.decode(ids(source)) == source and len(ids(source)) < len(source) / 2


@pytest.mark.parametrize("text", ["[1, 23, 456]", "'abc'", "-7"])
def test_data_is_read_digit_by_digit_and_letter_by_letter(text: str) -> None:
    tokens = [TOKENIZER.decode([i]) for i in ids(text)]
    assert all(len(token) == 1 or token == ", " for token in tokens)


def test_there_is_an_end_and_it_is_one_token() -> None:
    assert ids(END) == [TOKENIZER.eos_token_id]


def test_the_vocabulary_is_the_same_in_every_call() -> None:
    assert make_tokenizer().get_vocab() == TOKENIZER.get_vocab()
