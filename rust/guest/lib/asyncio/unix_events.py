"""The event loop of a guest without sockets, processes and signals: what waits, waits for the clock or for other tasks."""
import time

from . import base_events, events

__all__ = ("SelectorEventLoop", "EventLoop")


class _Clock:
    """In the place of a selector: nothing ever arrives from outside, so waiting only moves the clock."""

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("deadlock: nothing is left that could wake the event loop")
        if timeout > 0:
            time.sleep(timeout)
        return []


class SelectorEventLoop(base_events.BaseEventLoop):
    def __init__(self, selector=None):
        super().__init__()
        self._selector = _Clock()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        # There is no other thread to wake it from.
        pass


EventLoop = SelectorEventLoop


class _DefaultEventLoopPolicy(events._BaseDefaultEventLoopPolicy):
    _loop_factory = SelectorEventLoop
