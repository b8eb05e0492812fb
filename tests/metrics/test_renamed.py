"""Numbers of older runs are read under today's names."""

from azr.metrics.renamed import current


def test_a_row_of_an_older_run_has_the_names_of_today() -> None:
    old = {
        "step": 3, "update/gap_mean": 1.0, "update/solve/deduction/clipped_share": 2.0, "rollout/probe_gap": 3.0,
        "update/propose/tables.abduction/clipped_share": 4.0, "update/clip_share": 5.0, "probe/grounded/gap": 6.0,
    }  # fmt: skip
    assert current(old) == {
        "step": 3, "update/mismatch_mean": 1.0, "update/solve/deduction/truncated_share": 2.0,
        "rollout/sync_mismatch": 3.0, "update/propose/tables.abduction/truncated_share": 4.0, "update/clip_share": 5.0,
        "probe/grounded/gap": 6.0,
    }  # fmt: skip


def test_a_row_of_today_stays_as_it_is() -> None:
    row = {"step": 3, "update/mismatch_mean": 1.0, "update/solve/deduction/truncated_share": None}
    assert current(row) == row
