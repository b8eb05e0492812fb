"""Rewrite the table of a model before and after a run in benchmarks/eval.md: python benchmarks/eval_table.py RUN [DATA]

RUN is a finished run of `azr train`; before it stands the model that its config names. Both are evaluated alike, on the
held-out tasks of the package and, if DATA has a cruxeval.jsonl, on CRUXEval; what is there already is not done again.
"""

import re
import subprocess
import sys
from pathlib import Path

from azr.config import load_config
from azr.run.folder import CONFIG

PAGE = Path(__file__).parent / "eval.md"
BEGIN, END = "<!-- table of the embedded model: make eval-table -->", "<!-- end of the table -->"
SETTINGS = ("--n", "8", "--temperature", "1", "--top-p", "1", "--seed", "1", "--max-tokens", "256")


def main(run: Path, data: Path | None) -> None:
    """Evaluate, compare, and put the table between the markers."""
    folders = [run / "evals" / "before", run / "evals" / "after"]
    for model, folder in zip((load_config(run / CONFIG).model.name, str(run)), folders, strict=True):
        more = [] if model == "embedded" else ["--model", model]
        azr("eval", "-b", "heldout", *more, "--out", str(folder), *SETTINGS)
        if data is not None and (data / "cruxeval.jsonl").is_file():
            azr("eval", "-b", "cruxeval", "--data", str(data), *more, "--out", str(folder), *SETTINGS)
    names = ("--name", "before", "--name", "after")
    table = azr("eval", "compare", *map(str, folders), *names, "--format", "markdown", "--paper", "none")
    text = PAGE.read_text("utf-8")
    between = re.compile(f"({re.escape(BEGIN)}\n).*?({re.escape(END)})", re.DOTALL)
    if not between.search(text):
        raise SystemExit(f"{PAGE} has no place for the table: {BEGIN} ... {END}")
    PAGE.write_text(between.sub(lambda found: found[1] + "\n" + table + "\n" + found[2], text), "utf-8")
    print(table)


def azr(*arguments: str) -> str:
    """What a command prints; its progress goes where this script's does."""
    command = [sys.executable, "-m", "azr", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
