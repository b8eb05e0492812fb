"""Configuration: validated once, immutable afterwards."""

from azr.config.load import dump_config, load_config, resolve
from azr.config.schema import Config

__all__ = ["Config", "dump_config", "load_config", "resolve"]
