"""The rows of the paper's tables (arXiv 2505.03335, tables 1 and 5), to stand beside measured ones. Nothing is measured
here: other prompts, other engines and other sandboxes make differences of points."""

from typing import Final

COLUMNS: Final = (
    "humaneval_plus", "mbpp_plus", "livecodebench", "aime24", "aime25", "amc23", "math500", "minerva", "olympiad",
    "CAvg", "MAvg", "AVG",
)  # fmt: skip

ROWS: Final[dict[str, tuple[float, ...]]] = {
    "Qwen2.5-7B": (73.2, 65.3, 17.5, 6.7, 3.3, 37.5, 64.8, 25.0, 27.7, 52.0, 27.5, 39.8),
    "Qwen2.5-7B-Ins": (75.0, 68.5, 25.5, 13.3, 6.7, 52.5, 76.4, 35.7, 37.6, 56.3, 37.0, 46.7),
    "Qwen2.5-7B-Coder": (80.5, 69.3, 19.9, 6.7, 3.3, 40.0, 54.0, 17.3, 21.9, 56.6, 23.9, 40.2),
    "AZR base-7B": (71.3, 69.1, 25.3, 13.3, 13.3, 52.5, 74.4, 38.2, 38.5, 55.2, 38.4, 46.8),
    "AZR coder-7B": (83.5, 69.6, 31.7, 20.0, 10.0, 57.5, 72.6, 36.4, 38.2, 61.6, 39.1, 50.4),
    "Llama-3.1-8B": (31.7, 53.7, 0.0, 0.0, 0.0, 2.5, 10.6, 5.5, 2.1, 28.5, 3.4, 16.0),
    "Llama-3.1-8B + SimpleRL-Zoo": (38.4, 55.3, 7.4, 0.0, 0.0, 7.5, 22.2, 8.8, 4.7, 33.7, 7.2, 20.5),
    "Llama-3.1-8B + AZR": (35.4, 50.8, 8.5, 3.3, 0.0, 5.0, 13.2, 14.0, 5.0, 31.6, 6.8, 19.2),
    "Qwen2.5-3B-Coder": (67.1, 65.9, 20.0, 3.3, 3.3, 20.0, 51.0, 18.4, 16.6, 51.2, 18.8, 35.0),
    "Qwen2.5-3B-Coder + AZR": (71.3, 69.0, 24.4, 3.3, 3.3, 37.5, 62.0, 26.1, 27.0, 54.9, 26.5, 40.7),
    "Qwen2.5-14B-Coder": (76.8, 71.7, 31.4, 0.0, 0.0, 37.5, 54.8, 10.7, 18.5, 60.0, 20.2, 40.1),
    "Qwen2.5-14B-Coder + AZR": (80.5, 71.2, 39.0, 23.3, 20.0, 65.0, 78.6, 32.0, 39.3, 63.6, 43.0, 53.3),
    "Qwen2.5-14B": (78.0, 66.7, 21.7, 6.7, 3.3, 35.0, 66.2, 28.3, 32.4, 55.5, 28.7, 42.1),
    "Qwen2.5-14B + AZR": (70.7, 68.8, 35.2, 10.0, 20.0, 62.5, 76.2, 40.4, 42.5, 58.2, 41.9, 50.1),
}
"""Percent, as printed. The averages of the two 14B base rows are computed from their columns: the paper prints none.
The printed CAvg of Qwen2.5-3B-Coder is 51.2; its columns give 51.0."""


def row(name: str) -> dict[str, float]:
    """One of the paper's rows, by column."""
    return dict(zip(COLUMNS, ROWS[name], strict=True))
