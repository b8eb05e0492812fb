"""Stands in for logging: hashlib reports an algorithm that is missing, and goes on."""

import absent_modules


def exception(*args, **options):
    pass


warning = error = info = debug = exception
__getattr__ = absent_modules.attribute("logging")
