"""What `--model` of a command means."""

from azr.config.overrides import name_model


def named(model: str | None) -> list[str]:
    """`--model NAME` as an override: of a run or a warm-up, its newest checkpoint; none if it was not given."""
    from azr.evals.engine import locate

    return name_model(locate(model) if model else None)
