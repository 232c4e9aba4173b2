"""Everything that a run waits for beside its devices' own work, always in the dark and open to pause and abort.

A person's pause, the next time point, room on the disk, a connection that comes back, an interlock that is closed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from control.core.facts import FactStream, Paused, Resumed, Waiting
from control.core.frame_writer import FrameWriter
from control.core.imaging import Imaging
from control.core.run_control import RunAborted, RunControl
from squid.errors import DeviceError, DeviceTimeoutError

_log = logging.getLogger(__name__)

WAIT_WORTH_SAYING_S = 0.5
"""A wait for the disk that lasts longer than this is told to the listeners."""

RECONNECT_S = 3600.0
"""How long a run waits for a lost connection: somebody has come and seen to the cable by then, or it is ended."""

_LOOK_S = 0.05


class Waits:
    """The waits of one run.

    Parameters
    ----------
    imaging : Imaging
        Darkens the rig, and sees outages.
    writer : FrameWriter
        Has room, or has not.
    control : RunControl
        Pause and abort.
    facts : FactStream
        Is told what is waited for.
    on_waiting : callable
        Called every second or so while the run waits for a person, the disk or a cable: that is not its own time.
    settle : callable
        Brings the frame under way home, before a pause.
    """

    def __init__(
        self,
        imaging: Imaging,
        writer: FrameWriter,
        control: RunControl,
        facts: FactStream,
        *,
        on_waiting: Callable[[], None],
        settle: Callable[[], object],
    ) -> None:
        self._imaging = imaging
        self._writer = writer
        self._control = control
        self._facts = facts
        self._on_waiting = on_waiting
        self._settle = settle

    def gate(self) -> None:
        """Obey abort and pause, and stop when the writer has failed."""
        if self._writer.failure is not None:
            raise self._writer.failure
        if self._control.abort_reason is not None:
            raise RunAborted
        if self._control.is_paused:
            self._settle()
            self.dark()
            self._facts.say(Paused())
            while not self._control.wait_while_paused(1.0):
                self._on_waiting()
            self._facts.say(Resumed())
            self.gate()

    def dark(self) -> None:
        """Switch all light off; a light whose connection is lost is darkened by its own lease."""
        try:
            self._imaging.dark()
        except DeviceError as failure:
            if not self._imaging.outages.is_lost(failure):
                raise
            _log.warning("%s; its light lease darkens it", failure)

    def until_due(self, due_s: float) -> None:
        """Wait until `time.monotonic` is `due_s`."""
        left_s = due_s - time.monotonic()
        if left_s > WAIT_WORTH_SAYING_S:
            self.dark()
            self._facts.say(Waiting("the next time point", left_s))
        while time.monotonic() < due_s:
            self._control.sleep_until(due_s)
            self.gate()

    def for_room(self) -> None:
        """Wait until the writer takes another frame; `StorageError` when it never will."""
        if self._writer.failure is not None:
            raise self._writer.failure
        if self._writer.has_room:
            return
        self.dark()
        if not self._writer.wait_for_room(WAIT_WORTH_SAYING_S) and not self._writer.is_down:  # that says why by itself
            self._facts.say(Waiting("the disk is slower than the camera"))
        while not self._writer.has_room:
            self.gate()
            self._on_waiting()
            self._writer.wait_for_room(WAIT_WORTH_SAYING_S)
        self.gate()

    def are_over(self, failure: DeviceError) -> bool:
        """Wait out what has caused a failure, where that is an outage; whether it was one.

        Raises
        ------
        DeviceTimeoutError
            The connection did not come back.
        """
        outages = self._imaging.outages
        if outages.is_lost(failure):
            self._for_connection()
            return True
        if outages.interlock is not None:
            self._for_interlock()
            return True
        return outages.has_lost_light(failure)

    def _for_connection(self) -> None:
        outages = self._imaging.outages
        lost = ", ".join(outages.reconnecting)
        if lost:
            _log.warning("waiting for %s to be connected again", lost)
            self._facts.say(Waiting(f"{lost}: the connection is lost; goes on by itself when it is back"))
        give_up_s = time.monotonic() + RECONNECT_S
        while outages.reconnecting:
            self.gate()
            self._on_waiting()
            if time.monotonic() > give_up_s:
                raise DeviceTimeoutError(lost, f"the connection was not back within {RECONNECT_S:g} s")
            self._control.sleep_until(time.monotonic() + _LOOK_S)

    def _for_interlock(self) -> None:
        """Pause until a person says that the run may go on; again, as long as the interlock is open."""
        outages = self._imaging.outages
        while (reason := outages.interlock) is not None:
            _log.warning("%s", reason)
            self._facts.say(Waiting(reason))
            outages.acknowledge_interlock()
            self._control.pause()
            self.gate()
