"""Programs drawn from seeds end in the sandbox as they do under CPython, by CPython's recorded answers."""

import json
from pathlib import Path

import compare
import kinds
import pytest
import zstandard
from kinds import Kind

pytestmark = pytest.mark.slow
RECORDED = Path(__file__).parent / "recorded.jsonl.zst"
KNOWN = Path(kinds.__file__).parent / "known.txt"


def test_what_cpython_answered_is_what_the_sandbox_answers() -> None:
    text = zstandard.ZstdDecompressor().decompress(RECORDED.read_bytes(), max_output_size=64 << 20).decode()
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) > 2_000, "a record that is all but empty would say nothing"
    rules = kinds.known(KNOWN)
    box = compare.sandbox()
    outcomes = box.run_batch(compare.requests([row["items"] for row in rows]))
    wrong = []
    for row, outcome in zip(rows, outcomes, strict=True):
        here = compare.ends(outcome, len(row["items"]))
        if here is None:
            alone = box.run_batch(compare.requests([[item] for item in row["items"]]))
            here = [compare.lone_end(one) for one in alone]
        for item, there, end in zip(row["items"], row["ends"], here, strict=True):
            kind = compare.kind_of(there, end)
            if kind is not None and kind is not Kind.RESOURCE and kinds.name_of(rules, kind, item, there, end) is None:
                wrong.append(f"[{kind}] seed {row['seed']}: {item}\n  CPython {there[:200]}\n  sandbox {end[:200]}")
    assert not wrong, f"{len(wrong)} items differ\n" + "\n".join(wrong[:40])
