"""What decides over a release: versions, the changelog, figures over time, outcomes of several machines, workflows."""

import importlib.util
import json
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import azr
import pytest
from azr.cli import azr as command
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]


def load(path: str) -> ModuleType:
    """A script of tools/ or benchmarks/, which are no package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem + "_script", ROOT / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


release = load("tools/release_check.py")
history = load("benchmarks/history.py")
outcomes = load("tools/same_outcomes.py")


def test_the_version_is_cargos_wherever_it_is_asked() -> None:
    assert azr.__version__ == release.version() == release.one_version()
    assert CliRunner().invoke(command, ["--version"]).output == f"azr {release.version()}\n"


def test_the_changelogs_newest_section_is_this_version() -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", release.changelog())


@pytest.mark.parametrize(
    "text",
    [
        "## 9.9.9 - 2020-01-01\n\n- all\n",
        "## {version} - soon\n\n- all\n",
        "## {version} - 2999-01-01\n\n- all\n",
        "## {version} - 2020-01-01\n\n## 0.0.1 - 2019-01-01\n\n- old\n",
        "## {version} (not released)\n\n- all\n",
    ],
)
def test_a_changelog_without_this_release_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    wanted = release.version()
    monkeypatch.setattr(release, "ROOT", tmp_path)
    monkeypatch.setattr(release, "version", lambda: wanted)
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n" + text.format(version=wanted), "utf-8")
    with pytest.raises(release.Wrong):
        release.changelog()


def test_a_tag_of_another_version_is_refused() -> None:
    with pytest.raises(release.Wrong, match="the tag is v9"):
        release.tag("v9.0.0")


def test_every_crate_is_published_after_those_that_it_needs() -> None:
    """A crate that names one which the registry lacks is refused there, after others are out for good."""
    manifests = {
        manifest["package"]["name"]: manifest
        for manifest in (tomllib.loads(path.read_text("utf-8")) for path in sorted(ROOT.glob("rust/*/Cargo.toml")))
    }
    of_the_workspace = {name for name, one in release.cargo()["dependencies"].items() if "path" in one}
    out: list[str] = []
    for crate in release.CRATES:
        needs = {**manifests[crate].get("dependencies", {}), **manifests[crate].get("build-dependencies", {})}
        assert needs.keys() & of_the_workspace <= set(out), crate
        out.append(crate)
    [command] = re.findall(r"^\tcargo publish --locked (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert re.findall(r"-p (\S+)", command) == out


def test_the_readme_leads_nowhere_that_is_not_there() -> None:
    release.readme()


def record(version: str, value: float, *rounds: float) -> dict[str, Any]:
    """A version's record with one figure, of which more is better."""
    return {"version": version, "figures": {"buffer_dict": {"value": value, "rounds": list(rounds or (value,))}}}


def test_a_figure_that_is_worse_by_more_than_both_noises_is_a_regression() -> None:
    before = record("0.1.0", 2.0, 1.9, 2.0, 2.1)
    assert history.regressions(before, record("0.2.0", 1.75, 1.7, 1.75, 1.8)) == []
    assert history.regressions(before, record("0.2.0", 3.0)) == []
    [worse] = history.regressions(before, record("0.2.0", 1.6, 1.55, 1.6, 1.65))
    assert "2 in 0.1.0, now 1.6" in worse


def test_where_less_is_better_more_is_the_regression() -> None:
    def kernels(version: str, value: float) -> dict[str, Any]:
        return {"version": version, "figures": {"sandbox_kernels": {"value": value, "rounds": [value]}}}

    assert history.regressions(kernels("0.1.0", 5.0), kernels("0.2.0", 4.0)) == []
    assert len(history.regressions(kernels("0.1.0", 5.0), kernels("0.2.0", 6.0))) == 1


def test_versions_are_compared_as_numbers() -> None:
    assert sorted(["0.10.0", "0.9.1", "0.9.0"], key=history.key) == ["0.9.0", "0.9.1", "0.10.0"]


def test_one_unit_of_fuel_is_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"program": "def f(x): return x", "call": "1", "kind": "returned", "value": "1", "fuel": 7}
    for name, fuel in (("a", 7), ("b", 7), ("c", 8)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({**row, "fuel": fuel}) + "\n", "utf-8")
    assert outcomes.main([str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]) == 0
    assert outcomes.main([str(tmp_path)]) == 1
    assert "{'fuel': 7} and {'fuel': 8}" in capsys.readouterr().out


def test_one_file_alone_is_no_comparison(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n", "utf-8")
    with pytest.raises(SystemExit):
        outcomes.main([str(tmp_path)])


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_target_that_a_workflow_calls_is_in_the_makefile(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = workflow.read_text("utf-8")
    called = set(re.findall(r"\bmake (?:--silent )?([a-z][a-z-]*)", text))
    for checks in re.findall(r"check: \[(.+)\]", text):
        called |= set(checks.split(", "))
    assert {name for name in called if not name.startswith("ci-tools-")} <= targets


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(workflow: Path) -> None:
    for used in re.findall(r"uses: (\S+)", workflow.read_text("utf-8")):
        assert used.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), used


def test_the_bill_of_materials_names_every_crate_of_the_guest() -> None:
    crates = {one["name"]: one for one in load("tools/sbom.py").bill()["components"]}
    assert {"rustpython-vm", "malachite-bigint", "azr-wire"} <= crates.keys()
    # A patched crate says what it was; every other one that was published has its checksum.
    [before] = crates["rustpython-vm"]["pedigree"]["ancestors"]
    assert len(before["hashes"][0]["content"]) == 64
    assert len(crates["malachite-bigint"]["hashes"][0]["content"]) == 64
