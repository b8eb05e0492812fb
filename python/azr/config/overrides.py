"""Options of the command line as overrides of the config."""


def name_model(model: str | None) -> list[str]:
    """`--model NAME` as an override; none if it was not given."""
    if model is None:
        return []
    escaped = model.replace("\\", "\\\\").replace('"', '\\"')
    return [f'model.name="{escaped}"']
