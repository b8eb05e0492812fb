"""`env.taskset.id = "azr-tasks"`: verifiers finds tasksets by the name of a package that exports them."""

from azr.grading.verifiers import AzrEnv, AzrEnvConfig, AzrTaskset, AzrTasksetConfig, OneTurnHarness

__all__ = ["AzrEnv", "AzrEnvConfig", "AzrTaskset", "AzrTasksetConfig", "OneTurnHarness"]
