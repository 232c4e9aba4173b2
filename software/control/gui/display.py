"""Whether there is a display: Qt would end the process without a word that helps."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys

from squid.errors import ConfigurationError

_REMEDY = (
    "start it where there is a screen; without one, run plans with 'hcs run', or give it a virtual screen with "
    "'xvfb-run hcs --simulation', or set QT_QPA_PLATFORM=offscreen for tests"
)


def require_display() -> None:
    """Refuse when no window can be shown.

    Raises
    ------
    ConfigurationError
        There is no display, or it cannot be reached; says what to do.
    """
    if not sys.platform.startswith("linux"):
        return
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if platform not in ("", "xcb") or (not platform and os.environ.get("WAYLAND_DISPLAY")):
        return
    name = os.environ.get("DISPLAY", "")
    if not name:
        raise ConfigurationError(f"is not set: there is no screen to show the window on; {_REMEDY}", key="DISPLAY")
    if not _answers(name):
        raise ConfigurationError(f"the screen '{name}' cannot be reached; {_REMEDY}", key="DISPLAY")


def _answers(display: str) -> bool:
    """Return whether an X server lets us in; True where that cannot be found out."""
    found = ctypes.util.find_library("xcb") or "libxcb.so.1"
    try:
        xcb = ctypes.CDLL(found)
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(display.encode(), None)
    try:
        return not xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)
