"""The loop of live view: frame after frame while somebody looks, dark while nobody does.

::

    run() ──▶ looking ◀──── the window ticks again ────▶ dark, waiting
                 │  └─ no tick for `TICK_S` ─────────────────▲
                 └─ stop · failures in a row · a hang ──▶ ended: light off, camera given back, microscope free

The light lease is fed only while this loop *and* the window tick (docs/decisions/0064).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from control.core.handwork import HandTools, Handwork
from control.core.live_camera import LiveCamera
from control.core.live_frame import LiveFrame, Wanted
from control.core.run_control import RunAborted
from squid.errors import AccessRevokedError, DeviceClosedError, DeviceError, SettingError
from squid.utils.task import TaskCancelledError, current_task

_log = logging.getLogger(__name__)

TICK_S = 1.0
"""A window that has not ticked for so long shows nothing: the light goes off."""

MAX_RATE_HZ = 100.0
"""More frames than anyone can see would only bleach the sample and keep the computer from the window."""

SLOW_LIGHT_MS = 2.0
"""A light that needs longer to come on is left on between frames that follow fast; see `keeps_lit`."""

FAST_PERIOD_S = 0.2
"""Frames that follow more closely than this follow fast."""

LONG_EXPOSURE_MS = 300.0
"""A longer exposure is cut short when a setting changes: nobody waits ten seconds for a frame nobody wants."""

FAILURES = 3
"""So many frames in a row may fail before live view ends."""

_NAP_S = 0.02


@dataclass(frozen=True, slots=True)
class LiveSource:
    """What the loop asks the outside.

    Attributes
    ----------
    wanted : callable
        What the next frame shall be taken with.
    ticked_s : callable
        When the window last said that it shows frames (`time.monotonic`).
    show : callable
        Takes the newest frame.
    next_number : callable
        Number of the next frame.
    """

    wanted: Callable[[], Wanted]
    ticked_s: Callable[[], float]
    show: Callable[[LiveFrame], None]
    next_number: Callable[[], int]


class LiveLoop:
    """One live view, from its start to its end.

    Parameters
    ----------
    tools : HandTools
        What handwork needs.
    source : LiveSource
        Settings in, frames out.
    on_failure : callable
        Told why live view ended by itself.
    gain : float
        Gain that the camera is given back with.
    """

    def __init__(self, tools: HandTools, source: LiveSource, on_failure: Callable[[str], object], gain: float) -> None:
        self._tools = tools
        self._source = source
        self._on_failure = on_failure
        self._gain = gain
        self._stop = False
        self._has_begun = False
        self._exposing: Wanted | None = None
        self.started_frames = 0
        self.work = Handwork(tools, self, self._beat, self._hung)

    def stop(self) -> None:
        """Let it end after the frame under way, within 50 ms when that is a long one; returns at once."""
        self._stop = True
        if not self._has_begun:  # it waits for a thread, maybe for ever
            self.work.end()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop, or ended."""
        return self._stop or self.work.has_ended

    @property
    def abort_reason(self) -> str | None:
        """Why the wait for an exposure shall be cut short."""
        if self._stop:
            return "live view was stopped"
        if not self._is_watched():
            return "the window does not show frames"
        exposing = self._exposing
        if exposing is not None and exposing.settings.exposure_ms > LONG_EXPOSURE_MS:
            return None if self._source.wanted() == exposing else "a setting was changed"
        return None

    # --- in the task ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Show frames until stopped; the task that the `WorkerManager` runs."""
        self._has_begun = True
        if self._stop:
            self.work.end()
            return
        with self.work.entered() as calls:
            camera = LiveCamera(self._tools.microscope, calls, self, self._gain)
            try:
                self._show_frames(camera)
            except TaskCancelledError:
                raise
            except AccessRevokedError as late:
                _log.warning("live view came back after it was given up: %s", late)
            except DeviceError as failure:
                self._fail(str(failure))
            except Exception as bug:
                self._fail(f"internal error: {bug!r}")
                raise
            finally:
                self._stop = True
                self._put_away(camera)

    def _show_frames(self, camera: LiveCamera) -> None:
        failures = 0
        while not self._stop:
            _raise_if_cancelled()
            if not self._is_watched():
                camera.dark()
                camera.restore()  # whoever plans meanwhile must see the camera that runs will have
                self._wait_for_window()
                continue
            started_s = time.monotonic()
            try:
                frame = self._take(camera)
            except RunAborted:
                continue
            except (DeviceClosedError, SettingError):
                raise
            except DeviceError as failure:
                failures += 1
                _log.warning("live frame failed (%d of %d): %s", failures, FAILURES, failure)
                if failures >= FAILURES:
                    raise
                continue
            failures = 0
            if frame is not None:
                self._source.show(frame)
            self._rest(started_s, has_frame=frame is not None)

    def _take(self, camera: LiveCamera) -> LiveFrame | None:
        wanted = self._exposing = self._source.wanted()
        number = self.started_frames = self._source.next_number()
        return camera.take(wanted, number, keep_lit=self._keeps_lit(wanted))

    def _keeps_lit(self, wanted: Wanted) -> bool:
        microscope = self._tools.microscope
        period_s = (
            microscope.camera.exposure_duration_s(wanted.settings.exposure_ms) + microscope.camera.readout_ms / 1000
        )
        return keeps_lit(microscope.illumination.on_latency_ms, period_s)

    def _rest(self, started_s: float, *, has_frame: bool) -> None:
        """Keep to the highest rate; without a frame (the turret turns) look again a little later."""
        task = current_task()
        left_s = started_s + 1 / MAX_RATE_HZ - time.monotonic() if has_frame else _NAP_S
        if left_s > 0 and task is not None:
            task.pause(left_s)

    def _wait_for_window(self) -> None:
        while not self._stop and not self._is_watched():
            task = current_task()
            if task is not None:
                task.pause(_NAP_S)

    def _put_away(self, camera: LiveCamera) -> None:
        """Darken and give the camera back; a device that refuses is told about, unless something worse was."""
        for step in (camera.dark, camera.restore):
            try:
                step()
            except AccessRevokedError:
                return
            except DeviceError as failure:
                self._fail(str(failure))

    # --- others' threads --------------------------------------------------------------------------------------------

    def _is_watched(self) -> bool:
        return time.monotonic() - self._source.ticked_s() < TICK_S

    def _beat(self) -> None:
        """Feed the light lease, if the window ticks; called by the loop's own waits only."""
        _raise_if_cancelled()
        if self._is_watched():
            self._tools.microscope.beat()

    def _hung(self, reason: str) -> None:
        self._stop = True
        self._fail(reason)

    def _fail(self, reason: str) -> None:
        _log.error("live view ended: %s", reason)
        self._on_failure(reason)


def keeps_lit(on_latency_ms: float, period_s: float) -> bool:
    """Return whether the light stays on between live frames.

    Light between exposures only bleaches. So a light that is there at once goes off after every exposure; one that is
    slow (a shutter) would take longer to switch than it saves, and wear out at 30 switchings a second: it stays on
    when frames follow fast.

    Parameters
    ----------
    on_latency_ms : float
        Of the illumination.
    period_s : float
        From one frame to the next.
    """
    return on_latency_ms > SLOW_LIGHT_MS and period_s < FAST_PERIOD_S


class FrameRate:
    """Counts frames per second, of the last second or the last two frames."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=128)

    def note(self, now_s: float) -> None:
        """Count a frame."""
        times = self._times
        times.append(now_s)
        while len(times) > 2 and now_s - times[0] > 1.0:
            times.popleft()

    def per_second(self, now_s: float) -> float:
        """Return the rate; 0 when frames no longer come."""
        times = self._times.copy()
        if len(times) < 2 or times[-1] <= times[0]:
            return 0.0
        period_s = (times[-1] - times[0]) / (len(times) - 1)
        return 0.0 if now_s - times[-1] > 1.0 + 3 * period_s else 1 / period_s


def _raise_if_cancelled() -> None:
    task = current_task()
    if task is not None:
        task.raise_if_cancelled()
