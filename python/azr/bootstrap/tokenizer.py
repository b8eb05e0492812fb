"""The embedded model's tokenizer: bytes, plus one token for each marker and each common snippet of its programs.

Data is split into bytes, so a digit or a letter is always the same token; only code has longer tokens. Any text can be
encoded.
"""

from typing import TYPE_CHECKING

from azr.bootstrap.grammar import OPERATIONS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

END, PAD = "<end>", "<pad>"
MARKERS = (
    "<propose><deduction>\n", "<propose><abduction>\n", "<propose><induction>\n", "<propose><error>\n",
    "<solve><deduction>\n", "<solve><abduction>\n", "<solve><induction>\n", "<solve><error>\n",
    "<program>\n", "\n<program>\n", "<input>", "\n<input>", "<output>", "\n<output>", "<message>", "\n<message>",
    "<think>", "\n<think>",
)  # fmt: skip
SNIPPETS = (
    "def f(x):\n", "    x = ", "\n    x = ", "    return ", "\n    return ", "    if ", "\n    if ",
    ":\n        x = ", "sorted(", ", reverse=True)", "[::-1]", "[::2]", "[1:]", "[:-1]", "[v for v in ", "[v",
    " for v in ", " if v", "max(v, ", "min(v, ", "max(", "min(", ", default=", "sum(v > ", "sum(", "len(", "len(set(",
    ".count(", "list(dict.fromkeys(", "[i + v for i, v in enumerate(", "[i for i, v in enumerate(", "''.join(",
    "str(v)", "str(", "abs(", "[int(v) for v in str(abs(", ".upper()", ".swapcase()", ".replace(", ".strip(",
    ".find(", "list(range(", ", ", " + ", " - ", " * ", " % ", " // ", " > ", " < ", " == ", " != ", " % 2 == ",
    "' in x", "x[:1] == '", ", '')", "', '",
)  # fmt: skip


def make_tokenizer() -> "PreTrainedTokenizerFast":
    """Make the tokenizer. Its vocabulary is fixed in this file, so every call gives the same one."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={byte: index for index, byte in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    words = sorted({operation.word for operation in OPERATIONS})
    inner.add_tokens([AddedToken(text, normalized=False) for text in (*MARKERS, *SNIPPETS, *words)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=inner, eos_token=END, pad_token=PAD, clean_up_tokenization_spaces=False
    )
