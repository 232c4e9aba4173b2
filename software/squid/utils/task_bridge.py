"""What a window shows of a task: properties to bind, and a progress dialog in one line.

`TaskBridge` may be updated from any thread; its properties change in the GUI thread, at most 60 times a second, and the
newest value of each wins. Knows no widget class: a dialog or bar is whatever has the methods named here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from PyQt5.QtCore import (  # type: ignore[attr-defined]  # pyqtProperty is not in the stubs
    QObject,
    Qt,
    QTimer,
    pyqtProperty,
    pyqtSignal,
)

from squid.utils.delivery import call_safely
from squid.utils.task import TaskHandle, WorkerResult
from squid.utils.worker_manager import WorkerManager

_INTERVAL_S = 1 / 60

CANCEL_MS = 2000
"""A task that a person has cancelled has so long to see it, then it is given up: a disk that hangs looks at nothing."""


class TaskBridge(QObject):
    """Bindable state of a task; make it in the GUI thread.

    Attributes
    ----------
    is_busy : bool
        Whether a task runs.
    progress_value : float
        How far it is, 0...1.
    message : str
        What it is doing.
    is_busy_changed, progress_value_changed, message_changed : pyqtSignal
        With the new value.
    """

    is_busy_changed = pyqtSignal(bool)
    progress_value_changed = pyqtSignal(float)
    message_changed = pyqtSignal(str)
    _wanted = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, Any] = {"is_busy": False, "progress_value": 0.0, "message": ""}
        self._pending: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._applied_at = 0.0
        self._callbacks: dict[str, list[Callable[[Any], object]]] = {name: [] for name in self._values}
        self._wanted.connect(self._schedule, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def update(self, **values: Any) -> None:
        """Set properties by name, from any thread; KeyError for a name that is none."""
        for name in values:
            self._values[name]  # refuse an unknown name here, not later in the GUI thread
        with self._lock:
            is_first = not self._pending
            self._pending.update(values)
        if is_first:
            self._wanted.emit()

    def on_change(self, name: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call `callback(value)` in the GUI thread when a property changes; the returned call ends it."""
        self._callbacks[name].append(callback)
        return lambda: self._callbacks[name].remove(callback)

    def submit(self, manager: WorkerManager, task_name: str, task: Callable[[], Any], **options: Any) -> TaskHandle:
        """Run a task that these properties follow; `options` are those of `WorkerManager.submit`."""
        self.update(is_busy=True, progress_value=0.0, message="")
        return manager.submit(
            task_name,
            task,
            **_also(
                options,
                on_progress=lambda value, text: self.update(progress_value=value, message=text),
                on_finished=lambda _: self.update(is_busy=False),
            ),
        )

    def _get(self, name: str) -> Any:
        return self._values[name]

    is_busy = pyqtProperty(bool, fget=lambda self: self._get("is_busy"), notify=is_busy_changed)
    progress_value = pyqtProperty(float, fget=lambda self: self._get("progress_value"), notify=progress_value_changed)
    message = pyqtProperty(str, fget=lambda self: self._get("message"), notify=message_changed)

    def _schedule(self) -> None:
        left_s = self._applied_at + _INTERVAL_S - time.monotonic()
        if left_s <= 0:
            self._apply()
        else:
            QTimer.singleShot(int(left_s * 1000) + 1, self._apply)

    def _apply(self) -> None:
        with self._lock:
            values, self._pending = self._pending, {}
        self._applied_at = time.monotonic()
        for name, value in values.items():
            if value != self._values[name]:
                self._values[name] = value
                getattr(self, f"{name}_changed").emit(value)
                for callback in list(self._callbacks[name]):
                    call_safely(callback, value)


class ProgressDisplay(Protocol):
    """QProgressBar and QProgressDialog, as far as needed; a ``canceled`` signal is used if there is one."""

    def setRange(self, minimum: int, maximum: int) -> None:  # noqa: N802 - Qt's name
        """Set what 0 and 100 % are."""

    def setValue(self, progress: int) -> None:  # noqa: N802 - Qt's name
        """Show how far it is."""

    def reset(self) -> None:
        """Show nothing."""


def submit_with_progress(
    manager: WorkerManager, display: ProgressDisplay, task_name: str, task: Callable[[], Any], **options: Any
) -> TaskHandle:
    """Run a task whose progress `display` shows and whose cancel button, if it has one, cancels it.

    Parameters
    ----------
    display : QProgressDialog or QProgressBar
        Shown in per mille; reset at the end. What does not look whether it is cancelled (`Task.raise_if_cancelled`)
        is given up after `CANCEL_MS`.
    options
        Those of `WorkerManager.submit`.
    """
    display.setRange(0, 1000)
    handle: TaskHandle
    cancelled = getattr(display, "canceled", None)

    def cancel() -> None:  # holds the handle, which a connection alone does not
        if handle.cancel():
            QTimer.singleShot(CANCEL_MS, give_up)

    def give_up() -> None:
        manager.give_up(handle.task, "was cancelled and did not stop")

    def finished(_: WorkerResult) -> None:
        call_safely(display.reset)

    handle = manager.submit(
        task_name,
        task,
        **_also(
            options,
            on_progress=lambda fraction, _: display.setValue(min(999, int(fraction * 1000))),
            on_finished=finished,
        ),
    )
    if cancelled is not None:
        cancelled.connect(cancel)
    return handle


def _also(options: dict[str, Any], **calls: Callable[..., object]) -> dict[str, Any]:
    """Return the options, in which each of these calls is made before the caller's own callback of that name."""

    def both(call: Callable[..., object], own: Callable[..., object] | None) -> Callable[..., None]:
        def run(*args: Any) -> None:
            call_safely(call, *args)
            if own is not None:
                call_safely(own, *args)

        return run

    return options | {name: both(call, options.get(name)) for name, call in calls.items()}
