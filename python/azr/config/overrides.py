"""Command-line options as config overrides."""

from azr.config.schema import Config


def name_model(model: str | None) -> list[str]:
    """`--model NAME` as an override; none if it was not given."""
    if model is None:
        return []
    escaped = model.replace("\\", "\\\\").replace('"', '\\"')
    return [f'model.name="{escaped}"']


def in_folder(config: Config, folder: str) -> Config:
    """The config with `run.folder` set, as by `--run FOLDER`."""
    return config.model_copy(update={"run": config.run.model_copy(update={"folder": folder})})
