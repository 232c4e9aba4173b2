"""Opening a microscope while the window is already shown: everything slow, in one task.

Imported by the window at its start, so it imports nothing slow itself: core and pages are imported by the task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squid.errors import ConfigurationError, DeviceError
from squid.utils.task import TaskHandle, WorkerResult, current_task
from squid.utils.worker_manager import WorkerManager

if TYPE_CHECKING:
    from control.core.run_queue import QueuedRun
    from control.core.session import Session

LIMIT_S = 120.0
"""So long may all devices together take to open."""


class Opening:
    """One try to open a microscope.

    Parameters
    ----------
    file : Path
        Machine file.
    folder : Path
        The user's folder.
    manager : WorkerManager
        Runs the task.
    page : str
        The page that is shown first: imported with the rest.
    faults : sequence of str
        Injected into simulated devices.

    Attributes
    ----------
    device : str
        The device that is being opened, or was when it failed; empty before the first.
    interrupted : list of QueuedRun
        Runs that ended before their time, to be offered for resume, the newest first.
    """

    def __init__(
        self, file: Path, folder: Path, manager: WorkerManager, page: str = "look", faults: Sequence[str] = ()
    ) -> None:
        self._file, self._folder, self._manager, self._page, self._faults = file, folder, manager, page, faults
        self._session: Session | None = None
        self._handle: TaskHandle | None = None
        self.device = ""
        self.interrupted: list[QueuedRun] = []

    def start(
        self,
        on_open: Callable[[Any], object],
        on_error: Callable[[WorkerResult], object],
        on_progress: Callable[[float, str], object],
    ) -> None:
        """Begin; the callbacks come in the GUI thread, `on_open` with the session."""
        self._handle = self._manager.submit(
            f"open {self._file.name} {id(self)}",
            self._open,
            timeout_ms=round(LIMIT_S * 1000),
            on_complete=lambda result: on_open(result.value),
            on_error=on_error,
            on_progress=on_progress,
        )

    def give_up(self) -> None:
        """Stop waiting; from a task. What has been opened is closed within bounds."""
        if self._handle is not None:
            self._handle.cancel()
        if self._session is not None:
            self._session.close()

    def _open(self) -> Session:
        _say(0.05, "loads the program")
        core = import_module("control.core.session")
        for name in ("pages", "follower", "devices_panel", "preload", f"{self._page}_page"):
            import_module(f"control.gui.{name}")
        _say(0.4, f"reads {self._file.name}")
        machine = import_module("squid.machine_file").read_machine_file(self._file)
        session: Session = core.Session(machine, self._file, self._manager, self._folder, self._faults)
        self._session = session
        try:
            session.open(self._next)
            self.interrupted = session.queue.interrupted()
        except BaseException:
            session.close()
            raise
        _say(1.0, "builds the page")
        return session

    def _next(self, device: str) -> None:
        task = current_task()
        if task is not None:
            task.raise_if_cancelled()
        self.device = device
        assert self._session is not None
        labels = list(self._session.microscope.devices)
        _say(0.45 + 0.5 * labels.index(device) / len(labels), f"opens {device}")


def _say(fraction: float, message: str) -> None:
    task = current_task()
    if task is not None:
        task.report_progress(fraction, message)


def explain(file: Path, device: str, result: WorkerResult) -> tuple[str, str, str]:
    """Return what did not open, why, and what a person can do.

    Parameters
    ----------
    file : Path
        The machine file.
    device : str
        The device that was being opened; empty: it never came to that.
    result : WorkerResult
        Of the task.
    """
    error = result.error
    if isinstance(error, ConfigurationError):
        return f"{file.name} cannot be used", str(error), "Mend what the message names, then try again."
    if isinstance(error, DeviceError):
        device = error.device
    cause = f"It did not answer within {LIMIT_S:.0f} s." if result.timed_out else str(error) or repr(error)
    if not device:
        return "The microscope could not be opened", cause, "Try again; the log (Ctrl+Shift+L) says more."
    remedy = (
        f"Look whether '{device}' has power, whether its cable is plugged in, and whether another program uses it; "
        f"then try again. Its address and options are in {file}, under devices.{device}."
    )
    return f"'{device}' did not open", cause, remedy
