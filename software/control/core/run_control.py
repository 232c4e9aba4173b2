"""Pause and abort: what a person says to a run, and how the run waits without being deaf to it."""

from __future__ import annotations

import threading
import time


class RunAborted(Exception):
    """The run shall end now; raised out of a wait."""


class RunControl:
    """Requests from any thread, obeyed by the acquisition worker between frames and in every wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = False
        self._abort_reason: str | None = None

    @property
    def abort_reason(self) -> str | None:
        """Why the run shall end; None while it shall go on."""
        return self._abort_reason

    @property
    def is_paused(self) -> bool:
        """Whether the run shall wait."""
        return self._paused

    def abort(self, reason: str) -> None:
        """End the run; the first reason counts."""
        with self._changed:
            self._abort_reason = self._abort_reason or reason
            self._changed.notify_all()

    def pause(self) -> None:
        """Let the run wait after the frame under way."""
        with self._changed:
            self._paused = True
            self._changed.notify_all()

    def go_on(self) -> None:
        """End the pause."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def wait_while_paused(self, timeout_s: float) -> bool:
        """Wait until the run may go on or shall end; False when neither has come after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._paused or self._abort_reason is not None, timeout_s)

    def sleep_until(self, due_s: float) -> bool:
        """Sleep until `time.monotonic` is `due_s`; return early, with False, on a pause or an abort."""
        with self._changed:
            return not self._changed.wait_for(
                lambda: self._paused or self._abort_reason is not None, timeout=max(0.0, due_s - time.monotonic())
            )
