"""The template that a model was made for, by its files."""

import json
from pathlib import Path

import pytest
from azr.config.lineage import OWN, template_of


def test_the_embedded_model_is_terse_and_a_name_of_the_hub_gets_the_papers_text() -> None:
    assert {template_of(name) for name in OWN} == {"terse"}
    assert template_of("organisation/model") == "think"


@pytest.mark.parametrize(
    ("files", "template"),
    [
        ({"config.json": "{}"}, "think"),
        ({"config.json": "{}", "tokenizer_config.json": json.dumps({"chat_template": "{{ messages }}"})}, "chat"),
        ({"config.json": "{}", "chat_template.jinja": "{{ messages }}"}, "chat"),
        ({"config.json": json.dumps({"azr_template": "think"}), "chat_template.jinja": ""}, "think"),
        ({"config.json": "not JSON", "tokenizer_config.json": "[]"}, "think"),
    ],
)
def test_a_folders_own_word_counts_then_its_chat_template(tmp_path: Path, files: dict[str, str], template: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert template_of(str(tmp_path)) == template


@pytest.mark.parametrize(("head", "template"), [(b"GGUF tokenizer.chat_template ...", "chat"), (b"GGUF", "think")])
def test_a_gguf_files_metadata_says_whether_it_chats(tmp_path: Path, head: bytes, template: str) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(head)
    assert template_of(str(file)) == template
    assert template_of(str(tmp_path / "missing.gguf")) == "think"
