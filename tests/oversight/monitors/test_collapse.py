"""Every alarm fires on a run that has the illness, and none on a healthy one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azr.config import resolve
from azr.config.oversight import Action
from azr.oversight.monitors.collapse import ALARMS, Collapse
from azr.util.randomness import generator

KINDS = ("abduction", "deduction", "induction")
Row = dict[str, Any]
STEPS = 200


def healthy(seed: int = 0) -> Iterator[Row]:
    """A run that learns: longer answers, better scores, a little less entropy, noise everywhere, one slow step."""
    rng = generator(seed, 0, "healthy")
    for step in range(1, STEPS + 1):
        done = step / STEPS
        row: Row = {
            "step": step,
            "seconds/step": float(10 + rng.random() + (60 if step == 120 else 0)),
            "memory/resident_bytes": 4e9 + 1e7 * done + 1e7 * rng.random(),
        }
        for kind in KINDS:
            row |= {
                f"validate/propose/{kind}/valid_rate": float(0.5 + 0.2 * done + 0.1 * rng.standard_normal()),
                f"validate/propose/{kind}/duplicate_share": float(0.1 + 0.1 * rng.random()),
                f"solve/propose/{kind}/learnable_share": float(0.4 + 0.15 * rng.standard_normal()),
                f"solve/solve/{kind}/score": float(0.4 + 0.25 * done + 0.05 * rng.standard_normal()),
                f"buffer/{kind}/similarity": float(0.6 + 0.1 * rng.random()),
                f"buffer/{kind}/cluster_share": float(0.02 + 0.02 * rng.random()),
            }
            for role in ("propose", "solve"):
                grows = 2.5 if kind == "abduction" else 1.5
                row |= {
                    f"update/{role}/{kind}/length": float(500 * (1 + (grows - 1) * done) + 50 * rng.standard_normal()),
                    f"update/{role}/{kind}/truncated_share": float(0.05 * rng.random()),
                    f"update/{role}/{kind}/entropy": float(0.8 * (1 - 0.6 * done) + 0.05 * rng.standard_normal()),
                }
        if step % 10 == 0:
            row |= {
                "probe/sampled": float(0.3 + 0.2 * done + 0.01 * rng.standard_normal()),
                "probe/error": 0.012,
                "probe/passed": float(0.6 + 0.05 * done + 0.02 * rng.standard_normal()),
            }
        yield row


Change = Callable[[Row, float], Row]
"""A healthy row, and how far the illness is (0 to 1 over the second half), to a sick row."""


def of_kinds(pattern: str, value: Callable[[float], float]) -> Change:
    return lambda row, ill: {name: value(ill) for kind in KINDS if (name := pattern.format(kind)) in row}


def gap(row: Row, ill: float) -> Row:
    own = {f"solve/solve/{kind}/score": 0.5 + 0.45 * ill for kind in KINDS}
    return own | ({"probe/sampled": 0.40} if "probe/sampled" in row else {})


def narrow(row: Row, ill: float) -> Row:
    return {"probe/sampled": 0.4 + 0.05 * ill, "probe/passed": 0.65 - 0.2 * ill} if "probe/sampled" in row else {}


def decline(row: Row, ill: float) -> Row:
    own = {f"solve/solve/{kind}/score": 0.5 for kind in KINDS}
    return own | (
        {"probe/sampled": 0.42 - 0.08 * ill, "probe/passed": 0.65 - 0.05 * ill} if "probe/sampled" in row else {}
    )


SICK: dict[str, Change] = {
    "duplicates": of_kinds("validate/propose/{}/duplicate_share", lambda ill: 0.1 + 0.8 * ill),
    "clusters": of_kinds("buffer/{}/cluster_share", lambda ill: 0.03 + 0.6 * ill),
    "novelty": of_kinds("buffer/{}/similarity", lambda ill: 0.7 + 0.3 * min(1.0, 2 * ill)),
    "entropy": of_kinds("update/solve/{}/entropy", lambda ill: 0.5 * (1 - ill) ** 3),
    "valid": of_kinds("validate/propose/{}/valid_rate", lambda ill: 0.5 * (1 - ill)),
    "learnable": of_kinds("solve/propose/{}/learnable_share", lambda ill: 0.4 * (1 - ill) ** 3),
    "length": of_kinds("update/solve/{}/length", lambda ill: 500 + 4000 * ill),
    "gap": gap,
    "decline": decline,
    "narrowing": narrow,
    "time": lambda row, ill: {"seconds/step": 10 + 40 * ill},
    "memory": lambda row, ill: {"memory/resident_bytes": 4e9 * (1 + ill)},
    "sandbox": lambda row, ill: {"sandbox/failed_share": 0.1 * ill},
    "sandbox_ill": lambda row, ill: {"sandbox/failed_share": ill},
}
ALSO = {"sandbox_ill": {"sandbox"}}
"""What an illness raises on its way to being the other."""


def raised(rows: Iterator[Row], *overrides: str) -> list[tuple[int, str, Action]]:
    monitor = Collapse(resolve({}, list(overrides)))
    return [(row["step"], finding.rule, finding.action) for row in rows for finding in monitor.feed(row)]


def sick(name: str) -> Iterator[Row]:
    for row in healthy():
        ill = max(0.0, (row["step"] - STEPS / 2) / (STEPS / 2))
        yield row | (SICK[name](row, ill) if ill > 0 else {})


@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_run_is_quiet(seed: int) -> None:
    assert raised(healthy(seed)) == []


def test_induction_proposals_are_about_stored_programs_and_so_never_novel() -> None:
    assert raised(row | {"buffer/induction/similarity": 1.0} for row in healthy()) == []


def test_there_is_a_sick_run_for_every_alarm() -> None:
    assert set(SICK) == set(ALARMS)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_a_sick_run_raises_its_alarm_and_no_other(name: str) -> None:
    found = raised(sick(name))
    assert name in (rules := {rule for _, rule, _ in found}) and rules - {name} == ALSO.get(name, set())
    assert min(step for step, _, _ in found) > STEPS / 2


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_that_only_repeats_itself_among_healthy_ones_is_raised_by_name(kind: str) -> None:
    name = f"validate/propose/{kind}/duplicate_share"
    monitor = Collapse(resolve({}))
    rows = (row | ({name: 1.0} if row["step"] > 100 else {}) for row in healthy())
    (found,) = [(row["step"], finding) for row in rows for finding in monitor.feed(row)]
    assert 100 < found[0] <= 125 and found[1].rule == "duplicates"
    assert f"of the valid {kind} proposals of the last 20 steps are duplicates" in found[1].evidence
    quiet = (row | {name: 0.7} for row in healthy())
    assert raised(quiet) == []


def test_kinds_that_all_repeat_themselves_are_one_alarm() -> None:
    rows = (row | {f"validate/propose/{kind}/duplicate_share": 1.0 for kind in KINDS} for row in healthy())
    assert [rule for _, rule, _ in raised(rows)] == ["duplicates"]


def test_completions_cut_at_the_limit_are_a_blow_up_too() -> None:
    rows = (
        row | {f"update/solve/{kind}/truncated_share": 0.9 for kind in KINDS if row["step"] > 100} for row in healthy()
    )
    assert {rule for _, rule, _ in raised(rows)} == {"length"}


def test_an_alarm_is_raised_when_it_begins_and_again_only_after_it_ended() -> None:
    def rows() -> Iterator[Row]:
        for row in healthy():
            wave = 60 < row["step"] <= 100 or 140 < row["step"] <= 180
            yield row | {f"validate/propose/{kind}/duplicate_share": 0.95 for kind in KINDS if wave}

    steps = [step for step, rule, _ in raised(rows()) if rule == "duplicates"]
    assert len(steps) == 2 and 60 < steps[0] <= 100 and 140 < steps[1] <= 180


def test_a_resumed_run_goes_on_where_it_was() -> None:
    rows = list(sick("entropy"))
    whole = raised(iter(rows))
    monitor = Collapse(resolve({}))
    for row in rows[:150]:
        monitor.replay(row)
    rest = [(row["step"], f.rule, f.action) for row in rows[150:] for f in monitor.feed(row)]
    assert rest == [entry for entry in whole if entry[0] > 150]


def test_actions_and_limits_come_from_the_config() -> None:
    stops = raised(sick("duplicates"), "oversight.alarms.duplicates.action=stop")
    assert {action for _, _, action in stops} == {Action.STOP}
    assert raised(sick("duplicates"), "oversight.alarms.duplicates.limit=1.0") == []


def test_where_there_are_grounded_tasks_they_are_the_measure() -> None:
    """Held-out tasks of the curriculum's kind go on rising; those that no model wrote do not."""

    def rows() -> Iterator[Row]:
        for row in healthy():
            ill = max(0.0, (row["step"] - STEPS / 2) / (STEPS / 2))
            own = {f"solve/solve/{kind}/score": 0.5 + 0.45 * ill for kind in KINDS}
            held = {"probe/sampled": 0.5 + 0.45 * ill, "probe/passed": 0.96}
            grounded = {"probe/grounded/sampled": 0.35, "probe/grounded/passed": 0.6}
            yield row | own | (held | grounded if "probe/sampled" in row else {})

    assert {rule for _, rule, _ in raised(rows())} == {"gap"}


def test_a_run_without_weights_or_probe_is_quiet() -> None:
    """A scripted run has entropy 0 and no probe; nothing is divided by it."""
    rows = (
        {k: 0.0 if "entropy" in k else v for k, v in row.items() if not k.startswith("probe/")} for row in healthy()
    )
    assert raised(rows) == []


def test_a_long_run_that_unlearnt_is_seen() -> None:
    """The held-out scores of 1,000 steps of the embedded model: benchmarks/selfplay.md."""
    scores = [0.395, 0.484, 0.496, 0.500, 0.497, 0.489, 0.470, 0.472, 0.468, 0.469, 0.467]
    passed = [0.752, 0.753, 0.738, 0.728, 0.728, 0.718, 0.698, 0.696, 0.689, 0.691, 0.683]
    rows = (
        {"step": 100 * at, "probe/sampled": score, "probe/passed": best, "probe/error": 0.0094}
        for at, (score, best) in enumerate(zip(scores, passed, strict=True))
    )
    found = [(step, rule) for step, rule, _ in raised(rows)]
    assert found[0] == (600, "decline") and {rule for _, rule in found} == {"decline"}


def test_a_fall_within_chance_is_none() -> None:
    few = {"probe/passed": 0.7, "probe/error": 0.04}
    rows = ({"step": at, "probe/sampled": score, **few} for at, score in ((0, 0.5), (9, 0.45)))
    assert raised(rows) == []
