"""Stands in for asyncio: what unittest.mock asks of it while it is imported."""

import inspect

import absent_modules

iscoroutinefunction = inspect.iscoroutinefunction
__getattr__ = absent_modules.attribute("asyncio")
