"""What the window shows of the session while it is open: pulled ten times a second, never waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from PyQt5.QtCore import QObject, QTimer

from control.core.run_view import RunState
from control.core.safe_state import SafeState
from control.core.session import Session
from control.core.words import counted, duration
from control.gui import theme
from control.gui.message_bar import MessageBar, Weight
from control.gui.status_strip import StatusStrip

_PERIOD_MS = 100
_FLASH_S = 1.0
_STOP_LIMIT_S = 3.0
"""After this, an emergency stop that has not answered is said not to be confirmed."""

STATES = {
    "idle": ("idle", theme.FAINT),
    "running": ("run", theme.GOOD),
    "paused": ("paused", theme.WAITING),
    "waiting": ("waits", theme.WAITING),
    "ending": ("run ends", theme.WAITING),
    "finished": ("idle", theme.FAINT),
}


class Follower(QObject):
    """Shows the newest snapshots of a session in strip and message bar.

    Parameters
    ----------
    session : Session
        Open.
    strip : StatusStrip
        Gets state, position, light.
    bar : MessageBar
        Gets what was done after an emergency stop, and what ended live view.
    is_looking : callable
        Whether the live image is shown: without it live view waits in the dark.
    """

    def __init__(
        self, session: Session, strip: StatusStrip, bar: MessageBar, is_looking: Callable[[], bool] = lambda: True
    ) -> None:
        super().__init__(strip)
        self._session, self._strip, self._bar, self._is_looking = session, strip, bar, is_looking
        self._lit_s: dict[str, float] = {}
        self._stop: Future[SafeState] | None = None
        self._stopped_s = 0.0
        self._live_failure: str | None = None
        strip.machine.setText(session.machine.name)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(_PERIOD_MS)
        self.refresh()

    def follow_stop(self, stop: Future[SafeState]) -> None:
        """Say what an emergency stop has done as soon as that is known."""
        self._stop, self._stopped_s = stop, time.monotonic()
        self._bar.say("EMERGENCY STOP: light off and stage stop are commanded …", Weight.FAULT)

    def refresh(self) -> None:
        """Show what is newest."""
        if not (self._session.status and self._session.monitor and self._session.live):
            return
        self._show_state()
        rig = self._session.monitor.newest
        if rig is not None:
            self._strip.show_rig(rig, self._lit(rig.lights))
        self._show_live_failure()
        if self._stop is not None:
            self._show_stop(self._stop)

    def _show_state(self) -> None:
        view = self._session.status.snapshot()
        text, colour = STATES[view.state]
        if view.state in ("running", "paused", "waiting", "ending"):
            text = f"{text}: {view.stored} of {counted(view.planned, 'frame')}{_left(view.eta_s)}"
        elif self._session.live.is_running:
            text, colour = self._live_state()
        self._strip.show_state(text, colour)

    def _live_state(self) -> tuple[str, str]:
        if not self._is_looking():
            return "live view waits in the dark until you look", theme.WAITING
        rate_hz = self._session.live.frame_rate_hz
        return (f"live, {rate_hz:.0f} frames/s" if rate_hz >= 1 else "live"), theme.ACCENT

    def _lit(self, now_lit: Sequence[str]) -> list[str]:
        """Return what is on, or was last, within the last second: light that flashes with every frame is not dark."""
        now_s = time.monotonic()
        live, frame = self._session.live, self._session.live.newest()
        if live.is_running and frame is not None and now_s - frame.monotonic_s < _FLASH_S:
            self._lit_s[frame.source] = frame.monotonic_s
        self._lit_s |= dict.fromkeys(now_lit, now_s)
        is_flashing = live.is_running or self._session.status.snapshot().state is RunState.RUNNING
        if now_lit or not is_flashing:
            return list(now_lit)
        return [name for name, s in self._lit_s.items() if now_s - s < _FLASH_S and s == max(self._lit_s.values())]

    def _show_live_failure(self) -> None:
        failure = self._session.live.failure
        if failure != self._live_failure:
            self._live_failure = failure
            if failure:
                self._bar.say(f"Live view ended: {failure}", Weight.FAULT)

    def _show_stop(self, stop: Future[SafeState]) -> None:
        if stop.done():
            self._stop = None
            self._bar.say(f"EMERGENCY STOP. {_result(stop)}", Weight.FAULT)
        elif time.monotonic() - self._stopped_s > _STOP_LIMIT_S:
            self._stop = None
            unsure = "the devices did not answer. Light and stage are NOT CONFIRMED safe: switch them off by hand."
            self._bar.say(f"EMERGENCY STOP: {unsure}", Weight.FAULT)


def _result(stop: Future[SafeState]) -> str:
    error = stop.exception()
    if error is not None:
        return f"It failed: {error}. Light and stage are NOT CONFIRMED safe: switch them off by hand."
    done = stop.result()
    light = "Light off, confirmed" if done.dark else "LIGHT NOT CONFIRMED OFF: switch it off by hand"
    stage = "stage stopped, confirmed" if done.stopped else "STAGE NOT CONFIRMED STOPPED: switch it off by hand"
    return f"{light}; {stage}; live view and runs were ended."


def _left(eta_s: float | None) -> str:
    if eta_s is None:
        return ""
    return f", {duration(eta_s)} left"
