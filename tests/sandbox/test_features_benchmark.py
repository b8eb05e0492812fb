"""`benchmarks/sandbox_features.py` at its smallest, without peers."""

import sys
import time
from pathlib import Path

import pytest
from azr.util.registry import load_module

bench = load_module(str(Path(__file__).parents[2] / "benchmarks" / "sandbox_features.py"))
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads CPU time of workers from Linux")


@linux
def test_every_row_has_figures_and_says_where_a_side_has_no_such_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REPEATS", "SLOW_REPEATS", "CALL_RUNS", "IDLE", "STARTS"):
        monkeypatch.setattr(bench, name, 1)
    monkeypatch.setattr(bench, "CALLS", 3)
    record = bench.measure(1, (bench.Azr, bench.Plain))
    assert set(record["versions"]) == {"azr", "CPython with exec"}
    assert {"processor", "page_bytes", "kernel", "load"} <= set(record["machine"])
    for row, (_, clock) in bench.ROWS.items():
        (ours,) = bench.values(record["rounds"], "azr", row)
        assert clock is None or ours > 0, row
    assert bench.values(record["rounds"], "CPython with exec", "snapshot") is None
    lines = bench.table(record["rounds"]).splitlines()
    assert len(lines) == 2 + len(bench.ROWS)
    assert [line.startswith("| snapshot |") for line in lines if line.endswith("| has none |")].count(True) == 1


def test_a_peer_that_is_not_installed_is_named_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    class Absent(bench.Side):  # type: ignore[misc, name-defined]
        name, package, module = "absent", "absent-peer", "absent_peer"

    assert bench.installed((bench.Azr, Absent)) == [bench.Azr]
    assert capsys.readouterr().err == "absent is not installed (package absent-peer): left out\n"


def test_a_side_whose_session_is_in_another_state_gives_no_figures() -> None:
    class Forgetful(bench.Azr):  # type: ignore[misc, name-defined]
        def run(self, session: object, text: str) -> None:
            if not text.startswith("best"):
                super().run(session, text)

    side = Forgetful()
    with pytest.raises(AssertionError, match="NameError"):
        bench.created(side, bench.ten)


@linux
def test_time_of_a_process_that_has_not_ended_counts() -> None:
    with bench.Plain() as side:
        before, own = bench.cpu(), time.process_time()
        assert side.ask(side.open(), "sum(range(10_000_000))") == 49_999_995_000_000
        assert bench.cpu() - before - (time.process_time() - own) > 0.01
