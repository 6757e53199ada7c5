"""What stands on the desktop: the open windows, their titles, and the one that fills the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from Xlib import X, Xutil, ext
from Xlib.display import Display
from Xlib.error import XError
from Xlib.protocol.event import ClientMessage

NORMAL = {"_NET_WM_WINDOW_TYPE_NORMAL", ""}
NO_TASK = {f"_NET_WM_WINDOW_TYPE_{kind}" for kind in ("DESKTOP", "DOCK", "SPLASH", "TOOLTIP", "NOTIFICATION")}
PAUSE = 0.4
"""Seconds between two looks whether all windows are as they should be."""
BACKGROUND = 0x1B2333
"""The colour of the bare desktop, that of the page around it."""
ADD = 1
FROM_PAGER = 2


@dataclass(frozen=True)
class Shown:
    """One window, as a person would name it."""

    id: int
    title: str
    active: bool


class Windows:
    """Follows the window manager's list of windows on one display; speaks EWMH, so any such manager will do."""

    def __init__(self, display: str, changed: Callable[[], None]) -> None:
        ext.__extensions__.clear()  # nothing here uses one, and loading them takes as long as all the rest
        self._display = Display(display)
        self._root = self._display.screen().root
        self._changed = changed
        self._atoms: dict[str, int] = {}
        self._known: dict[int, Any] = {}
        self._main: int | None = None
        self._filled = False
        self.shown: list[Shown] = []
        self._root.change_attributes(event_mask=X.PropertyChangeMask, background_pixel=BACKGROUND)
        self._root.clear_area()
        self._look()

    def fileno(self) -> int:
        """Return the connection's descriptor; call `pump` when it can be read."""
        number: int = self._display.fileno()
        return number

    def pump(self) -> None:
        """Take in what has happened, and look again if any of it can have changed the list."""
        fresh = False
        while self._display.pending_events():
            fresh = self._display.next_event().type in (X.PropertyNotify, X.DestroyNotify) or fresh
        if fresh:
            self._look()

    def raise_window(self, number: int | None) -> None:
        """Bring a window to the front; one that has gone meanwhile is no error."""
        if number in self._known:
            self._tell(self._known[number], "_NET_ACTIVE_WINDOW", [FROM_PAGER, X.CurrentTime, 0])

    async def keep_settled(self) -> None:
        """Settle again and again, for as long as it is not cancelled."""
        while True:
            await asyncio.sleep(PAUSE)
            self.settle()

    def settle(self) -> None:
        """Ask again for what has got lost: a window manager that adapts to a new size of the screen hears nothing.

        The first window is to fill the screen, until it has once; some window is to have the focus, which a program
        that takes it by itself, as Java's do, may have been offered too early.
        """
        if self._main in self._known and not self._filled:
            states = [self._atom(f"_NET_WM_STATE_MAXIMIZED_{way}") for way in ("VERT", "HORZ")]
            self._filled = set(states) <= set(self._numbers(self._known[self._main], "_NET_WM_STATE"))
            if not self._filled:
                self._tell(self._known[self._main], "_NET_WM_STATE", [ADD, *states, FROM_PAGER])
        if self.shown and not any(one.active for one in self.shown):
            self.raise_window(self._main if self._main in self._known else self.shown[-1].id)
        self.pump()

    def _look(self) -> None:
        active = self._numbers(self._root, "_NET_ACTIVE_WINDOW")
        shown = []
        present = self._numbers(self._root, "_NET_CLIENT_LIST")
        for number in present:
            try:
                kind = self._take_in(number)
                if kind not in NO_TASK:
                    shown.append(Shown(number, self._title(self._known[number]), number in active))
            except XError:
                continue
        self._known = {number: window for number, window in self._known.items() if number in present}
        if shown != self.shown:
            self.shown = shown
            self._changed()
        # Requests above may have read further events from the connection; none of them must wait for the next one.
        if self._display.pending_events():
            self.pump()

    def _take_in(self, number: int) -> str:
        """Return the window's kind; the first window of the program, and its successor, is made to fill the screen."""
        window = self._known.get(number)
        if window is None:
            window = self._known[number] = self._display.create_resource_object("window", number)
            window.change_attributes(event_mask=X.PropertyChangeMask)
        kinds = self._numbers(window, "_NET_WM_WINDOW_TYPE")
        kind: str = self._display.get_atom_name(kinds[0]) if kinds else ""
        if self._main not in self._known and kind in NORMAL and self._may_fill(window):
            self._main, self._filled = number, False
            both = [self._atom(f"_NET_WM_STATE_MAXIMIZED_{way}") for way in ("VERT", "HORZ")]
            self._tell(window, "_NET_WM_STATE", [ADD, *both, FROM_PAGER])
        return kind

    def _may_fill(self, window: Any) -> bool:
        if window.get_wm_transient_for() is not None:
            return False
        hints = window.get_wm_normal_hints()
        if hints is None or not hints.flags & Xutil.PMaxSize:
            return True
        fixed = (hints.min_width, hints.min_height) == (hints.max_width, hints.max_height)
        return not fixed

    def _title(self, window: Any) -> str:
        found = window.get_full_property(self._atom("_NET_WM_NAME"), X.AnyPropertyType)
        value = found.value if found else window.get_wm_name() or ""
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def _numbers(self, window: Any, name: str) -> list[int]:
        try:
            found = window.get_full_property(self._atom(name), X.AnyPropertyType)
        except XError:
            return []
        return list(found.value) if found else []

    def _atom(self, name: str) -> int:
        if name not in self._atoms:
            self._atoms[name] = self._display.intern_atom(name)
        return self._atoms[name]

    def _tell(self, window: Any, name: str, values: Iterable[int]) -> None:
        data = (32, ([*values] + [0] * 5)[:5])
        message = ClientMessage(window=window, client_type=self._atom(name), data=data)
        self._root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self._display.flush()
