"""Stands in for sysconfig: nothing is known of how this Python was built."""


def get_config_var(name):
    return None


def get_config_vars(*names):
    return [None] * len(names) if names else {}


def is_python_build(check_home=False):
    return False


def get_platform():
    return "wasm32"


def get_path(name, *rest, **options):
    return "/"
