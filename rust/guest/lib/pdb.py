"""The names of `pdb` that other modules build on. A debugger needs someone at a terminal, and the sandbox has none."""

__all__ = ["Pdb", "Restart", "pm", "post_mortem", "run", "runcall", "runeval", "set_trace"]


def _no_terminal(*args, **kwargs):
    raise OSError(25, "pdb needs a terminal, and the sandbox has none")


run = runcall = runeval = post_mortem = pm = set_trace = _no_terminal


class Restart(Exception):
    """Causes a debugger to be restarted for the debugged python program."""


class Pdb:
    """Can be made, as `doctest` does for every example; whatever would stop and ask raises."""

    def __init__(self, completekey="tab", stdin=None, stdout=None, skip=None, nosigint=False, readrc=True, **options):
        self.stdout = stdout
        self.use_rawinput = True

    def reset(self):
        pass

    def set_continue(self):
        pass

    set_trace = run = runcall = runeval = interaction = trace_dispatch = _no_terminal
