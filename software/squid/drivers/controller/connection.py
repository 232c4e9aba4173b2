"""Bytes in and out: a port that is found, opened, read and given up, and how long the controller has been silent.

Written to by any thread, opened, read and closed by the link's own. Knows frames, and nothing of commands.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from squid.drivers.controller.frame_reader import FrameReader
from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.ports import Port, PortError, PortOptions

_log = logging.getLogger(__name__)

SILENCE_S: Final = 0.4
"""So long a controller that is there says nothing at most."""


class Connection:
    """A connection that can be made again and again.

    Parameters
    ----------
    label : str
        The link, for messages.
    open_port, find : callable
        How a port is opened and found.

    Attributes
    ----------
    has_damage : bool
        Whether what was read last did not make frames.
    """

    def __init__(self, label: str, open_port: Callable[[str], Port], find: Callable[[PortOptions], str]) -> None:
        self._label = label
        self._open_port = open_port
        self._find = find
        self._port: Port | None = None
        self._lock = threading.Lock()
        self._reader = FrameReader()
        self._damaged_before = 0
        self._heard_s = 0.0
        self.has_damage = False

    @property
    def damaged(self) -> int:
        """How often the stream of frames fell out of step."""
        return self._damaged_before + self._reader.damaged

    def open(self, options: PortOptions, patience_s: float) -> None:
        """Find and open the port; the controller may be silent for `patience_s` longer than usual.

        Raises
        ------
        PortError
            There is none, or it cannot be opened.
        """
        path = self._find(options)
        with self._lock:
            self._port = self._open_port(path)
        self._damaged_before += self._reader.damaged
        self._reader = FrameReader()
        self._heard_s = time.monotonic() + patience_s

    def receive(self, wait_s: float) -> list[StatusFrame]:
        """Wait for bytes; return the frames that they complete."""
        port = self._port
        assert port is not None
        damaged, data = self._reader.damaged, port.read(wait_s)
        frames = self._reader.feed(data)
        self.has_damage = self._reader.damaged != damaged or (bool(data) and not frames)
        if frames:
            self._heard_s = time.monotonic()
        return frames

    def check_silence(self) -> None:
        """Raise `PortError` when the controller has been silent for too long."""
        if time.monotonic() - self._heard_s > SILENCE_S:
            raise PortError(f"the controller has been silent for {SILENCE_S:g} s")

    def write(self, data: bytes) -> None:
        """Send; a port that is gone is noticed by the reading thread, which is the one to act on it."""
        with self._lock:
            if self._port is None:
                return
            try:
                self._port.write(data)
            except PortError as e:
                _log.warning("%s: %s", self._label, e)

    def close(self) -> None:
        """Close the port, if one is open."""
        with self._lock:
            port, self._port = self._port, None
        if port is not None:
            port.close()
