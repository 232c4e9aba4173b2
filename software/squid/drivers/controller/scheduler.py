"""Runs jobs over one wire: which command goes next, who waits for which frame.

::

    submit ──▶ lane (jobs of a lane run one after the other) ──▶ running ──▶ future settled
                                                                   │ ▲
                                            yields Command, Until, Delay; gets frames, errors

Jobs of different lanes take turns on the wire, command by command: light can be switched while an axis moves.
Owns no thread and no port: bytes go to `write`; frames and the time come from the link's thread. Futures are settled
with no lock held.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from squid.drivers.controller.exchange import Exchange
from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.protocol_table import Code
from squid.drivers.controller.requests import Command, Delay, Job, ResultT, Until
from squid.errors import DeviceError, DeviceTimeoutError, SquidError

_log = logging.getLogger(__name__)

URGENT_AFTER_S: Final = 0.03
"""A command on the wire older than this holds up no urgent one: that is sent at once, and once more in its turn."""


@dataclass(slots=True, eq=False)
class _Running:
    """A job, and what it waits for."""

    job: Job[Any]
    lane: str | None
    is_urgent: bool
    future: Future[Any] = field(default_factory=Future)
    waits_for: Command | Until | Delay | None = None
    until_s: float = 0.0


class Scheduler:
    """See the module's text.

    Parameters
    ----------
    label : str
        The device, for errors.
    write : callable
        Takes the bytes to send; must not raise.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(self, label: str, write: Callable[[bytes], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._label = label
        self._write = write
        self._clock = clock
        self._lock = threading.Lock()
        self.exchange = Exchange(label)
        self.acknowledged_s = clock()
        self._lanes: dict[str, deque[_Running]] = {}
        self._commands: deque[_Running] = deque()
        self._waiting: list[_Running] = []
        self._on_wire: _Running | None = None
        self._frame: StatusFrame | None = None
        self._settlements: deque[Callable[[], None]] = deque()

    def submit(self, job: Job[ResultT], lane: str | None = None, *, urgent: bool = False) -> Future[ResultT]:
        """Run a job; its first command goes out before this returns when the wire is free.

        Parameters
        ----------
        job : Job
            The generator.
        lane : str or None
            It waits for earlier jobs of this lane; None: for nobody.
        urgent : bool
            Its commands pass those of other jobs.
        """
        running = _Running(job, lane, urgent)
        running.future.set_running_or_notify_cancel()
        with self._lock:
            if lane is None:
                self._step(running)
            else:
                queue = self._lanes.setdefault(lane, deque())
                queue.append(running)
                if len(queue) == 1:
                    self._step(running)
            self._pump()
        self._settle()
        return running.future

    def cancel(self, future: Future[Any], error: DeviceError) -> None:
        """Raise `error` in the job of a future wherever it waits; the controller is told nothing."""
        with self._lock:
            for running in self._jobs():
                if running.future is future:
                    self._throw(running, error)
                    break
            self._pump()
        self._settle()

    def fail_all(self, error: DeviceError) -> None:
        """Fail every job: the connection is gone, or the controller has forgotten them."""
        with self._lock:
            self.exchange.drop()
            alive = self._jobs()
            self._on_wire = None
            self._lanes.clear()
            self._commands.clear()
            self._waiting.clear()
            for running in alive:
                running.job.close()
                self._finish(running, error=error)
        self._settle()

    def synchronise(self, frame: StatusFrame) -> None:
        """Start anew from the controller's own id."""
        with self._lock:
            self._frame = frame
            self.exchange.synchronise(frame)

    def on_frame(self, frame: StatusFrame) -> None:
        """Take a frame: it may acknowledge the command on the wire and end waits."""
        now = self._clock()
        with self._lock:
            self._frame = frame
            waiting = [running for running in self._waiting if isinstance(running.waits_for, Until)]
            self._exchange(lambda: self.exchange.on_frame(frame, now))
            for running in waiting:
                wanted = running.waits_for
                if running in self._waiting and isinstance(wanted, Until) and wanted.holds(frame):
                    self._waiting.remove(running)
                    self._step(running, frame)
            self._pump()
        self._settle()

    def on_damaged_frame(self) -> None:
        """A frame was lost; it may have been the answer, or the one that somebody waits for."""
        with self._lock:
            self._exchange(lambda: self.exchange.on_damaged_frame(self._clock()))
            is_awaited = any(isinstance(running.waits_for, Until) for running in self._waiting)
            if is_awaited and self.exchange.is_idle and self.exchange.capabilities.is_ours:
                self._write(self.exchange.start(Command(Code.HEARTBEAT), self._clock()))  # shows the next at once
        self._settle()

    def on_time(self) -> None:
        """Look at the clock: repeat what seems lost, end what waited too long."""
        now = self._clock()
        with self._lock:
            self._exchange(lambda: self.exchange.on_time(now))
            for running in [running for running in self._waiting if now >= running.until_s]:
                if running not in self._waiting:
                    continue
                wanted = running.waits_for
                self._waiting.remove(running)
                if isinstance(wanted, Until):
                    message = f"{wanted.what} was not done in {wanted.timeout_s:.2f} s"
                    self._step(running, error=DeviceTimeoutError(self._label, message))
                else:
                    self._step(running, self._frame)
            self._pump()
        self._settle()

    def next_due_s(self) -> float:
        """Return the instant of the next wait's end."""
        with self._lock:
            return min((running.until_s for running in self._waiting), default=float("inf"))

    # Everything below is called with the lock held.

    def _jobs(self) -> list[_Running]:
        """Return every job that is not finished, each once."""
        found = {id(job): job for queue in self._lanes.values() for job in queue}
        found |= {id(job): job for job in (*self._commands, *self._waiting)}
        if self._on_wire is not None:
            found[id(self._on_wire)] = self._on_wire
        return list(found.values())

    def _exchange(self, event: Callable[[], bytes | StatusFrame | None]) -> None:
        """Tell the exchange of an event; send what it wants sent, and hand on its answer or error."""
        try:
            outcome = event()
        except DeviceError as e:
            running, self._on_wire = self._on_wire, None
            if running is not None:
                self._step(running, error=e)
            return
        if isinstance(outcome, bytes):
            self._write(outcome)
        elif outcome is not None:
            self.acknowledged_s = self._clock()
            running, self._on_wire = self._on_wire, None
            if running is not None:
                self._step(running, outcome)

    def _pump(self) -> None:
        """Send the next command when the wire is free."""
        while self.exchange.is_idle and self._commands:
            running = self._commands.popleft()
            command = running.waits_for
            assert isinstance(command, Command)
            try:
                packet = self.exchange.start(command, self._clock())
            except ValueError as e:
                self._step(running, error=DeviceError(self._label, str(e)))
                continue
            self._on_wire = running
            self._write(packet)

    def _step(self, running: _Running, frame: StatusFrame | None = None, error: SquidError | None = None) -> None:
        """Let a job go on until its next request."""
        try:
            if error is not None:
                request = running.job.throw(error)
            else:
                request = next(running.job) if running.waits_for is None else running.job.send(frame)  # type: ignore[arg-type]
        except StopIteration as end:
            self._finish(running, result=end.value)
        except SquidError as e:
            self._finish(running, error=e)
        except Exception as e:  # the thread's edge: a driver's mistake fails its job, not the link
            _log.exception("%s: a job failed", self._label)
            self._finish(running, error=DeviceError(self._label, f"job failed: {e!r}"))
        else:
            self._wait_for(running, request)

    def _wait_for(self, running: _Running, request: Command | Until | Delay) -> None:
        running.waits_for = request
        if isinstance(request, Command):
            if running.is_urgent:
                self._commands.appendleft(running)
                if self.exchange.age_s(self._clock()) > URGENT_AFTER_S:
                    self._write(self.exchange.stray(request))
            else:
                self._commands.append(running)
            return
        running.until_s = self._clock() + (request.timeout_s if isinstance(request, Until) else request.seconds)
        self._waiting.append(running)

    def _throw(self, running: _Running, error: DeviceError) -> None:
        """Raise an error in a job wherever it waits."""
        if running in self._waiting:
            self._waiting.remove(running)
        elif running in self._commands:
            self._commands.remove(running)
        elif self._on_wire is running:
            self._on_wire = None  # its answer is nobody's
        self._step(running, error=error)

    def _finish(self, running: _Running, result: object = None, error: BaseException | None = None) -> None:
        future = running.future
        if error is not None:
            self._settlements.append(lambda: future.set_exception(error))
        else:
            self._settlements.append(lambda: future.set_result(result))
        queue = self._lanes.get(running.lane) if running.lane is not None else None
        if queue is None or running not in queue:
            return
        was_first = queue[0] is running
        queue.remove(running)
        if was_first and queue:
            self._step(queue[0])

    def _settle(self) -> None:
        """Settle futures; no lock is held, so that their callbacks may submit."""
        while self._settlements:
            try:
                settle = self._settlements.popleft()
            except IndexError:
                return
            settle()
