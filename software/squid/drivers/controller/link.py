"""`ControllerLink`: the device that owns the serial port; the other devices of the controller submit jobs to it.

::

    closed ──open()──▶ connecting ──first frame, hello──▶ connected ◀──┐
                                            │ port gone, silent         │ first frame, hello
                                            ▼                           │
                                           lost ──back-off, reopen──────┘

One thread reads the port, settles futures, sends heartbeats, reconnects. What users must notice is counted:

- `restarts`: the controller forgot everything (settings, home); its own reset, or one that cannot be ruled out
- `resets`: it forgot what was under way and the trigger mode
- `darkenings`: its lights went out without a command of theirs
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Final

from pydantic import BaseModel

from squid.abc.device import Device, StateValue
from squid.drivers.controller.capabilities import Capabilities, LeaseKind
from squid.drivers.controller.connection import Connection
from squid.drivers.controller.lease import LightLease
from squid.drivers.controller.light_commands import dark_commands
from squid.drivers.controller.link_options import LinkOptions
from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.ports import Port, PortError, PortOptions, SerialPort, find_port
from squid.drivers.controller.protocol_table import Code, Flag
from squid.drivers.controller.reports import PAGES, Reports
from squid.drivers.controller.requests import Command, Job, ResultT, Until, send_all
from squid.drivers.controller.scheduler import Scheduler
from squid.drivers.controller.watch import RestartWatch
from squid.errors import ConnectionLostError, DeviceClosedError, DeviceError, DeviceTimeoutError, SquidError

_log = logging.getLogger(__name__)

_SLICE_S: Final = 0.02
_OPEN_S: Final = 3.0
_FIRST_S: Final = 1.0
"""What a controller that was reset by being opened may take before its first frame."""

_BACK_OFF_S: Final = (0.05, 0.1, 0.2, 0.4)
_CLOSE_S: Final = 1.0


class ControllerLink(Device):
    """The serial link to a controller.

    Parameters
    ----------
    label : str
        Its name in the machine file.
    options : LinkOptions
        Port and lease.
    open_port, find : callable
        How a port is opened and found; replaced in tests.
    """

    Options = LinkOptions

    def __init__(
        self,
        label: str,
        options: LinkOptions,
        open_port: Callable[[str], Port] = SerialPort,
        find: Callable[[PortOptions], str] = find_port,
    ) -> None:
        super().__init__(label)
        self._options = options
        self._connection = Connection(label, open_port, find)
        self._scheduler = Scheduler(label, self._connection.write)
        self.reports = Reports()
        self._watch = RestartWatch()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._ready: Future[None] = Future()
        self._greeting_failed: BaseException | None = None
        self._button_listeners: tuple[Callable[[], None], ...] = ()
        self._frame_listeners: tuple[Callable[[StatusFrame], None], ...] = ()
        self.lease = LightLease(options.lease_ms, options.beat_fresh_ms)
        self.is_connected = False
        self.restarts = 0
        self.resets = 0
        self.darkenings = 0
        self.reconnections = 0
        self.interlock_openings = 0

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> ControllerLink:
        """Build it; see `Device.create`."""
        assert isinstance(options, LinkOptions)
        return cls(label, options)

    @property
    def capabilities(self) -> Capabilities:
        """What the firmware can do; of the oldest one before the first connection."""
        return self._scheduler.exchange.capabilities

    @property
    def frame(self) -> StatusFrame:
        """The newest status frame.

        Raises
        ------
        ConnectionLostError
            There is no connection.
        """
        frame = self.reports.newest
        if frame is None or not self.is_connected:
            raise self._lost_error()
        return frame

    def ask_pages(self) -> Command:
        """Return the command that makes firmware 2.0 show its pages in turn, beginning at once."""
        return Command(Code.SET_REPORT, {"pages": sum(1 << page for page in PAGES)})

    def on_joystick_button(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the link's thread whenever the joystick button is pressed; it must not block."""
        self._button_listeners = (*self._button_listeners, listener)

    def on_frame(self, listener: Callable[[StatusFrame], None]) -> Callable[[], None]:
        """Call `listener` in the link's thread with every frame, before jobs see it; return what ends that."""
        self._frame_listeners = (*self._frame_listeners, listener)

        def end() -> None:
            self._frame_listeners = tuple(each for each in self._frame_listeners if each is not listener)

        return end

    @property
    def is_reconnecting(self) -> bool:
        """Whether the connection is lost and being looked for."""
        return self.is_open and not self.is_connected

    def submit(self, job: Job[ResultT], lane: str | None = None, *, urgent: bool = False) -> Future[ResultT]:
        """Run a job on the wire; see `Scheduler.submit`.

        Raises
        ------
        ConnectionLostError
            There is no connection now; nothing was sent.
        """
        if not self.is_connected:
            job.close()
            raise self._lost_error()
        return self._scheduler.submit(job, lane, urgent=urgent)

    def cancel(self, future: Future[ResultT], error: DeviceError) -> None:
        """Fail a job that is under way; the controller is told nothing."""
        self._scheduler.cancel(future, error)

    def reset_controller(self) -> Job[StatusFrame]:
        """Make the controller forget what is under way (to be used inside a job)."""
        self.resets += 1
        return (yield Command(Code.RESET))

    def arm_lease(self) -> Job[None]:
        """Arm the lease when it is not (to be used inside a job)."""
        kind = self.capabilities.lease
        if kind is not LeaseKind.NONE and not self.lease.is_armed:
            self.lease.kind = kind
            yield Command(Code.SET_WATCHDOG_TIMEOUT, {"timeout_ms": self.lease.lease_ms})
            self.lease.armed(kind)

    def darken(self) -> Job[None]:
        """Switch off every light of the controller, the autofocus laser included (to be used inside a job)."""
        yield from send_all(dark_commands(self.capabilities))

    def went_dark(self, why: str) -> None:
        """Count light that went out without a command; in the link's thread."""
        _log.warning("%s: %s", self.label, why)
        self.darkenings += 1

    def beat(self) -> None:
        """Renew the light lease while the application ticks."""
        self.lease.beat()

    def state(self) -> dict[str, StateValue]:
        """Return the state of the connection, of the firmware and of the light lease."""
        if not self.is_open:
            return super().state()
        frame = self.reports.newest
        version = self.capabilities.version
        return super().state() | {
            "connected": self.is_connected,
            "firmware": f"{version[0]}.{version[1]}",
            "light_lease": f"{self.lease.kind.value}, {self.lease.lease_ms} ms",
            "light_lease_armed": self.lease.is_armed,
            "light_lease_expired": self.lease.expired,
            "interlock_open": frame is not None and frame.has(Flag.INTERLOCK_OPEN),
            "interlock_openings": self.interlock_openings,
            "restarts": self.restarts,
            "reconnections": self.reconnections,
            "repeated_commands": self._scheduler.exchange.repetitions,
            "damaged_frames": self._connection.damaged,
        }

    def _do_open(self) -> None:
        self._closing.clear()
        self._ready = Future()
        self._watch = RestartWatch()  # nobody knows what another program did meanwhile
        self.reports.forget()
        self._thread = threading.Thread(target=self._run, name=f"{self.label} link", daemon=True)
        self._thread.start()
        try:
            self._ready.result(_OPEN_S)
        except (SquidError, TimeoutError) as e:
            self._stop()
            if isinstance(e, DeviceError):
                raise
            why = str(e) or f"did not answer within {_OPEN_S:g} s"
            raise DeviceTimeoutError(self.label, f"{why}; is the controller powered?") from e

    def _do_close(self) -> None:
        if self.is_connected:
            dark = self._scheduler.submit(self.darken(), urgent=True)
            try:
                dark.result(_CLOSE_S)
            except (SquidError, TimeoutError):
                _log.warning("%s: could not confirm that all lights are off", self.label, exc_info=True)
        self._stop()

    def _stop(self) -> None:
        self._closing.set()
        self.is_connected = False
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._scheduler.fail_all(DeviceClosedError(self.label, "was closed"))

    # ---- the link's thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                self._connect()
                failures = 0
                self._serve()
            except PortError as e:
                self._lose(e)
                if self._ready.done() and self._ready.exception() is not None:
                    return  # the first connection failed: open() says so
                self._closing.wait(_BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
                failures += 1
        self._connection.close()

    def _connect(self) -> None:
        """Open the port, wait for a frame, and say hello."""
        self._connection.open(self._options, 0.0 if self._ready.done() else _FIRST_S)
        self._greeting_failed = None
        first: StatusFrame | None = None
        while first is None and not self._closing.is_set():
            first = next(iter(self._receive()), None)
            self._connection.check_silence()
        if first is not None:
            self._begin(first)

    def _begin(self, frame: StatusFrame) -> None:
        """Take over the controller's state after (re)connecting or after its restart."""
        known_ids = self._scheduler.exchange.known_ids
        self._scheduler.synchronise(frame)
        if self._watch.is_restart_after_gap(frame, known_ids):
            self.restarts += 1
            self.resets += 1
        self._watch.begin(frame)
        if self._ready.done():
            self._note_events_meanwhile(frame)
        self.darkenings += 1
        self.lease.is_armed = False
        self._take(frame)
        self._scheduler.submit(self._hello(frame), urgent=True).add_done_callback(self._greeted)

    def _note_events_meanwhile(self, frame: StatusFrame) -> None:
        """Count what the controller has latched while nobody listened; hello clears it."""
        if frame.has(Flag.LEASE_EXPIRED):
            self._lease_ran_out()
        if frame.has(Flag.INTERLOCK_OPENED) or frame.has(Flag.INTERLOCK_OPEN):
            self.interlock_openings += 1

    def _hello(self, frame: StatusFrame) -> Job[None]:
        """Make the controller safe and ready: nothing under way, no light, lease armed, pages chosen."""
        yield from self.darken()  # clears a lingering error, too
        if frame.is_busy:
            yield from self.reset_controller()
        if self.capabilities.is_ours:
            yield self.ask_pages()
            yield Command(Code.CLEAR_EVENTS, {"flags": Flag.LEASE_EXPIRED | Flag.INTERLOCK_OPENED})
        yield from self.arm_lease()
        if self.capabilities.is_ours:
            yield Until(lambda _: self.reports.axes is not None, 1.0, "first report of the axes")

    def _greeted(self, hello: Future[None]) -> None:
        error = hello.exception()
        if error is None:
            self.is_connected = True
            if not self._ready.done():
                self._ready.set_result(None)
        elif not self._closing.is_set():
            self._greeting_failed = error
            if not self._ready.done():
                self._ready.set_exception(error)

    def _serve(self) -> None:
        while not self._closing.is_set():
            if self._greeting_failed is not None:
                raise PortError(f"the controller did not answer: {self._greeting_failed}")
            frames = self._receive()
            for frame in frames:
                self._take(frame)
            if self._connection.has_damage:
                self._scheduler.on_damaged_frame()
            if not frames:
                self._connection.check_silence()
            self._scheduler.on_time()
            self._keep_lease()

    def _receive(self) -> list[StatusFrame]:
        wait_s = min(_SLICE_S, max(0.0, self._scheduler.next_due_s() - time.monotonic()))
        return self._connection.receive(wait_s)

    def _take(self, frame: StatusFrame) -> None:
        """Handle one frame; the newest is what `frame` shows."""
        before = self.reports.take(frame)
        if self.is_connected and self._watch.is_restart(frame, self._scheduler.exchange.known_ids):
            self._restarted(frame)
            return
        if before is not None:
            self._take_events(before, frame)
        for listener in self._frame_listeners:
            listener(frame)
        self._scheduler.on_frame(frame)

    def _take_events(self, before: StatusFrame, frame: StatusFrame) -> None:
        def rises(flag: Flag) -> bool:
            return frame.has(flag) and not before.has(flag)

        if rises(Flag.LEASE_EXPIRED):
            self._lease_ran_out()
            self._send(Command(Code.CLEAR_EVENTS, {"flags": Flag.LEASE_EXPIRED}))
        if rises(Flag.INTERLOCK_OPENED) or rises(Flag.INTERLOCK_OPEN):
            self.interlock_openings += 1
            self.darkenings += 1
            self._send(Command(Code.CLEAR_EVENTS, {"flags": Flag.INTERLOCK_OPENED}))
        if frame.is_button_pressed and not before.is_button_pressed:
            self._send(Command(Code.ACK_JOYSTICK_BUTTON_PRESSED))
            for listener in self._button_listeners:
                listener()

    def _restarted(self, frame: StatusFrame) -> None:
        _log.warning("%s: the controller has restarted; home and settings are void", self.label)
        self.is_connected = False
        self.restarts += 1
        self.resets += 1
        self.reports.axes = None
        self._scheduler.fail_all(ConnectionLostError(self.label, "the controller restarted by itself"))
        self._begin(frame)

    def _keep_lease(self) -> None:
        """Feed the lease while the application beats; arm it again after it fired."""
        if not self.is_connected:
            return
        fed_s = self._scheduler.acknowledged_s
        if self.lease.must_have_fired(fed_s):
            self._lease_ran_out()
        if not self._scheduler.exchange.is_idle:
            return
        if self.lease.wants_arming():
            self._scheduler.submit(self.arm_lease())
        elif self.lease.wants_heartbeat(fed_s):
            self._send(Command(Code.HEARTBEAT))

    def _lease_ran_out(self) -> None:
        _log.warning("%s: the light lease ran out; the controller has switched its lights off", self.label)
        self.lease.ran_out()
        self.darkenings += 1

    def _send(self, command: Command) -> None:
        """Send a command that nobody waits for."""
        self._scheduler.submit(send_all((command,)))

    def _lose(self, why: PortError) -> None:
        if self.is_connected:
            self.reconnections += 1
            _log.warning("%s: connection lost (%s); trying to reconnect", self.label, why)
        self.is_connected = False
        self.reports.axes = None
        self._connection.close()
        self._scheduler.fail_all(ConnectionLostError(self.label, f"connection lost: {why}"))
        if not self._ready.done():
            self._ready.set_exception(DeviceError(self.label, str(why)))

    def _lost_error(self) -> ConnectionLostError:
        return ConnectionLostError(self.label, "there is no connection to the controller; it is being looked for")
