"""`sysconfig` of an interpreter that is installed nowhere: it has a version, and no paths and no variables."""
import sys


def get_config_vars(*names):
    """The configuration variables: none; or one `None` a name."""
    return [None for _ in names] if names else {}


def get_config_var(name):
    """The value of a configuration variable: none has any."""


def get_path_names():
    return ()


def get_paths(scheme="posix_prefix", vars=None, expand=True):
    return {}


def get_scheme_names():
    return ()


def get_platform():
    return sys.platform


def get_python_version():
    return "%d.%d" % sys.version_info[:2]


def is_python_build(check_home=None):
    return False
