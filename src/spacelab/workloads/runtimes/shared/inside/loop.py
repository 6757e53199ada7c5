"""Waits for several descriptors at once; the standard library alone."""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Loop:
    """A readiness loop over `epoll`: a handler per descriptor, called with the events that occurred."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._events: dict[int, int] = {}

    def watch(self, descriptor: int, events: int, handler: Callable[[int], None]) -> None:
        """Call `handler` when one of `events` occurs; without events, stop watching."""
        before = self._events.get(descriptor, 0)
        self._handlers[descriptor] = handler
        if events == before:
            return
        if not events:
            self.forget(descriptor)
        elif before:
            self._epoll.modify(descriptor, events)
            self._events[descriptor] = events
        else:
            self._epoll.register(descriptor, events)
            self._events[descriptor] = events

    def forget(self, descriptor: int) -> None:
        """Stop watching the descriptor, also when it isn't watched."""
        self._handlers.pop(descriptor, None)
        if self._events.pop(descriptor, 0):
            self._epoll.unregister(descriptor)

    def turn(self, timeout: float) -> None:
        """Wait up to `timeout` seconds and handle what occurred."""
        for descriptor, events in self._epoll.poll(timeout):
            handler = self._handlers.get(descriptor)
            if handler is not None:
                handler(events)
