"""How the engine calls devices: each call under a deadline, each wait bounded and open to an abort.

A foreign exception out of a driver becomes a `DeviceError` of that device here, once, so that everything above can rely
on the one tree of errors. Knows no particular device.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, Protocol, TypeVar

from control.core.run_control import RunAborted
from control.core.step_watch import StepWatch
from squid.errors import DeviceError, DeviceTimeoutError, SquidError

CALL_S = 3.0
"""Deadline of a device call that only sends something, and margin of those that take their time. A driver's own limits
must be shorter, so that it can say what is wrong before it counts as hung."""

MOVE_MARGIN_S = 1.0
"""Added to twice the computed travel time."""

_SLICE_S = 0.05
"""How often a wait looks whether the run was aborted."""

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


class Abort(Protocol):
    """Says whether waits shall be cut short."""

    @property
    def abort_reason(self) -> str | None:
        """Why; None while the work shall go on."""


class DeviceCalls:
    """Calls devices on behalf of one run, or of a person's hands.

    Parameters
    ----------
    steps : StepWatch
        Finds the call that does not return.
    control : Abort
        Its abort ends the waits that may be cut short.
    beat : callable
        Called several times a second while the run ticks: the light lease lives on it. A call that does not return
        beats no more, and the light goes out by itself.
    """

    def __init__(self, steps: StepWatch, control: Abort, beat: Callable[[], None]) -> None:
        self._steps = steps
        self._control = control
        self._beat = beat

    def call(
        self, device: str, limit_s: float, function: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs
    ) -> ResultT:
        """Call a device; `limit_s` is what it may take before it counts as hung.

        Raises
        ------
        DeviceError
            Whatever a driver raises on purpose, and any foreign exception as one of this device.
        """
        name = function.__name__
        with self._steps.step(device, name, limit_s):
            try:
                return function(*args, **kwargs)
            except SquidError:
                raise
            except Exception as e:  # the driver's edge
                raise DeviceError(device, f"{name} failed: {e!r}") from e

    def wait(
        self,
        future: Future[ResultT],
        until_s: float,
        device: str,
        call: str,
        *,
        hears_abort: bool = True,
        meanwhile: Callable[[], None] | None = None,
    ) -> ResultT:
        """Wait for a device's future until `time.monotonic` is `until_s`.

        Parameters
        ----------
        future : Future
            The device's.
        until_s : float
            Instant.
        device, call : str
            For the message.
        hears_abort : bool
            Whether an abort of the run cuts the wait short.
        meanwhile : callable, optional
            Called several times a second while it waits.

        Raises
        ------
        DeviceTimeoutError
            It was not settled in time.
        RunAborted
            The run shall end, and the wait may be cut short.
        DeviceError
            The future's own.
        """
        if future.done() and not future.cancelled() and future.exception() is None:
            return future.result()
        with self._steps.waiting(device, call, max(0.0, until_s - time.monotonic())):
            while True:
                self._beat()
                if meanwhile is not None:
                    meanwhile()
                left_s = until_s - time.monotonic()
                try:
                    return future.result(max(0.0, min(left_s, _SLICE_S)))
                except TimeoutError as e:
                    if future.done():
                        raise DeviceError(device, f"{call} failed: {e!r}") from e
                    if hears_abort and self._control.abort_reason is not None:
                        raise RunAborted from None
                    if left_s <= 0:
                        raise DeviceTimeoutError(device, f"{call} was not done in time") from None
                except SquidError:
                    raise
                except Exception as e:  # the driver's edge
                    raise DeviceError(device, f"{call} failed: {e!r}") from e
