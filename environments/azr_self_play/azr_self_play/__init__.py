"""`env.taskset.id = "azr-self-play"`: verifiers finds environments by the name of a package that exports them."""

from azr.selfplay.verifiers import OneTurnHarness, SelfPlayEnv, SelfPlayEnvConfig, SelfPlayTaskset

__all__ = ["OneTurnHarness", "SelfPlayEnv", "SelfPlayEnvConfig", "SelfPlayTaskset"]
