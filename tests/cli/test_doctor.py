"""The command's text and exit code."""

from pathlib import Path

from azr.cli import azr
from click.testing import CliRunner

SMOKE = Path(__file__).parents[2] / "configs" / "smoke.toml"


def test_a_scripted_config_is_fine_anywhere() -> None:
    result = CliRunner().invoke(azr, ["doctor", "--config", str(SMOKE)])
    assert result.exit_code == 0, result.output
    assert "Everything that this config needs is here." in result.output and "Rust half: built" in result.output


def test_what_is_missing_is_an_exit_code_of_one() -> None:
    settings = ["--set", "engine.name=vllm", "--set", "engine.vllm.cache_gib=100000"]
    result = CliRunner().invoke(azr, ["doctor", *settings])
    assert result.exit_code == 1 and "MISSING  engine.vllm.cache_gib" in result.output
    assert "This config cannot run here" in result.output


def test_vllm_is_offered_for_a_language_model_on_a_cpu_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    def said(*arguments: str) -> str:
        return CliRunner().invoke(azr, ["doctor", *arguments]).output

    offer = "--set engine.name=vllm"
    gpu = any(Path("/proc/driver/nvidia/gpus").glob("*"))
    assert (offer in said("--model", str(tmp_path))) is not gpu
    assert offer not in said() and offer not in said("--model", str(tmp_path), "--set", "engine.name=vllm")
