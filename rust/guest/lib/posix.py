"""`posix`, for importlib: the stand-ins of `os`."""
from os import *
from os import _exit
