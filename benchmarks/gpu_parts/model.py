"""A model of random weights, with a tokenizer of bytes whose other tokens are no text.

python benchmarks/gpu_parts/model.py FOLDER toy|0.5B
"""

import sys
from pathlib import Path

SIZES = {
    # Heads of 32: vLLM's kernels for CPUs want no smaller ones.
    "toy": {
        "hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "vocab_size": 512,
    },
    "0.5B": {
        "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
        "num_key_value_heads": 2, "vocab_size": 151936,
    },
}  # fmt: skip


def make(folder: Path, size: str) -> None:
    """Write it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, set_seed

    shape = SIZES[size]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = alphabet + [f"<{n}>" for n in range(len(alphabet), shape["vocab_size"] - 2)]
    inner = Tokenizer(models.BPE(vocab={word: n for n, word in enumerate(words)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", pad_token="<pad>")
    set_seed(0)
    config = Qwen2Config(
        **shape, max_position_embeddings=8192, tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2])
