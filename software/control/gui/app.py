"""The program with a window: what lives as long as the process, from the first picture to the last bounded second.

::

    start() ─▶ display? only window? ─▶ window shown ─▶ task: imports, devices ─▶ pages ─▶ … ─▶ leave()

Owns the worker manager, the watch over the GUI thread, signals, uncaught exceptions, logs and settings. Importing it
loads nothing slow: the core comes in a task (`opening`).
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QApplication

from control.core.rig import only_window
from control.core.user_folder import user_folder
from control.gui.display import require_display
from control.gui.emergency import EmergencyKey
from control.gui.log_panel import LogBuffer
from control.gui.main_window import MainWindow
from control.gui.opening import Opening, explain
from control.gui.remembering import Remembering
from control.gui.settings import SettingsFile
from control.gui.theme import apply_theme
from squid.utils.exception_hook import ExceptionHook
from squid.utils.leaving import SignalWatch, Step, leave
from squid.utils.task import WorkerResult
from squid.utils.thread_dump import DeadMansSwitch, DumpFile, default_log_folder
from squid.utils.worker_group import worker_threads
from squid.utils.worker_manager import WorkerManager

if TYPE_CHECKING:
    from control.core.run_queue import QueuedRun
    from control.core.session import Session
    from control.gui.preload import Preload

_log = logging.getLogger(__name__)

BEAT_MS = 250
"""How often the GUI thread says that it lives."""
SILENCE_S = 1.0
"""A GUI thread that is silent for so long has its stacks dumped."""

LEAVE_S = 2.4
"""All steps of leaving together; the process is gone within three seconds."""

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))

WORKERS = 8
"""Live view, monitor, a move and a run keep one each; the rest is for what comes and goes."""

Leave = Callable[[int, Sequence[Step], float], object]


def start(machine: Path | None, faults: Sequence[str] = ()) -> int:
    """Show the window and run until a person leaves; does not return then.

    Parameters
    ----------
    machine : Path or None
        Machine file to open; None: a person chooses.
    faults : sequence of str
        Injected into simulated devices, for this start only.

    Raises
    ------
    ConfigurationError
        There is no display, or another window is open.
    """
    require_display()
    folder = user_folder()
    with only_window(folder):
        QApplication.setAttribute(Qt.ApplicationAttribute.AA_EnableHighDpiScaling)
        app = QApplication(sys.argv[:1])
        app.setApplicationName("Squid HCS")
        app.setQuitOnLastWindowClosed(False)
        apply_theme(app)
        program = Program(app, folder, faults)
        program.window.show()
        program.begin(machine)
        return app.exec_()


class Program:
    """Everything around the window.

    Parameters
    ----------
    app : QApplication
        The program's.
    folder : Path
        The user's folder.
    faults : sequence of str
        Injected into simulated devices.
    leave : callable
        Ends the process; `squid.utils.leaving.leave`.
    """

    def __init__(self, app: QApplication, folder: Path, faults: Sequence[str] = (), leave: Leave = leave) -> None:
        self._folder, self._faults, self._leave = folder, faults, leave
        self.log = LogBuffer()
        self._log_file = _log_file(default_log_folder())
        self._dump_file = DumpFile(default_log_folder() / "stacks.log")
        self.manager = WorkerManager(worker_threads(WORKERS), dump_file=self._dump_file)
        self._settings = SettingsFile(folder / "settings.json")
        self.window = MainWindow(self._settings, self.log, self.quit)
        self._remembering = Remembering(self.window, self._settings, self.manager)
        self._opening: Opening | None = None
        self._preload: Preload | None = None
        self._is_leaving = False
        self._switch = DeadMansSwitch(self._dump_file, SILENCE_S)
        self._beats = QTimer(self.window)
        self._last_beat_s = time.monotonic()
        self._hook = ExceptionHook(self.window.show_error)
        self._key = EmergencyKey(app, self.window.emergency_stop)
        self._signals: SignalWatch | None = None
        self._app = app

    def begin(self, machine: Path | None) -> None:
        """Watch signals, exceptions and the GUI thread; open the microscope, or let a person choose one."""
        root = logging.getLogger()
        for handler in (self.log, self._log_file):
            root.addHandler(handler)
        root.setLevel(logging.INFO)
        self._hook.install()
        self._signals = SignalWatch(self._on_signal, SIGNALS)
        self._app.commitDataRequest.connect(self.quit)
        self._beats.timeout.connect(self._beat)
        self._beats.start(BEAT_MS)
        self._beat()
        self.window.start_page.chosen.connect(self.open)
        self.window.start_page.cancelled.connect(self._choose)
        if machine is None:
            self._choose()
        else:
            self.open(machine)

    def open(self, file: Path) -> None:
        """Open a microscope; the window says how far it is, and why not."""
        opening = self._opening = Opening(file, self._folder, self.manager, self.window.first_page, self._faults)
        self.window.start_page.show_opening(file)
        opening.start(
            on_open=lambda session: self._opened(opening, file, session),
            on_error=lambda result: self._not_opened(opening, file, result),
            on_progress=lambda fraction, message: self._progress(opening, fraction, message),
        )

    def _progress(self, opening: Opening, fraction: float, message: str) -> None:
        if opening is self._opening:
            self.window.start_page.show_progress(fraction, message)

    def _opened(self, opening: Opening, file: Path, session: Session) -> None:
        if opening is not self._opening:
            self.manager.submit(f"close what nobody waits for {id(session)}", session.close)
            return
        from control.gui.pages import Pages  # the task has imported both
        from control.gui.preload import Preload

        self._settings.used_machine(file)
        pages = Pages(session, self.window)
        self.window.attach(session, pages)
        self._preload = Preload(self.manager, pages)
        self._preload.begin()
        self._remembering.begin()
        if opening.interrupted:
            self._offer(session, opening.interrupted)

    def _offer(self, session: Session, runs: Sequence[QueuedRun]) -> None:
        """Ask what shall become of the newest run that ended early."""
        from control.gui.questions import offer_resume

        newest = runs[0].id

        def resume() -> None:
            session.queue.resume(newest, on_error=self.window.say)
            self.window.show_page("run")

        offer_resume(self.window, runs, resume, lambda: session.queue.cancel(newest, on_error=self.window.say))

    def _not_opened(self, opening: Opening, file: Path, result: WorkerResult) -> None:
        if opening is self._opening:
            _log.error("%s did not open: %s", file, result.error)
            self.manager.submit(f"give up {id(opening)}", opening.give_up)
            self.window.start_page.show_failure(*explain(file, opening.device, result))

    def _choose(self) -> None:
        if self._opening is not None:
            self.manager.submit(f"give up {id(self._opening)}", self._opening.give_up)
            self._opening = None
        self.window.start_page.offer([Path(name) for name in self._settings.values.machine_files])

    def _beat(self) -> None:
        silence_s = time.monotonic() - self._last_beat_s
        if silence_s > SILENCE_S:
            _log.warning("the window did not answer for %.1f s; stacks are in %s", silence_s, self._dump_file.path)
        self._last_beat_s = time.monotonic()
        self._switch.beat()

    # --- the end ----------------------------------------------------------------------------------------------------

    def quit(self, *_: object) -> None:
        """Leave now, whatever hangs: safe state, end of the run, settings, devices; the process is gone in 3 s."""
        if self._is_leaving:
            return
        self._is_leaving = True
        self._remembering.end()
        _log.info("leaves")
        session = self.window.session
        if session is not None:
            try:
                self.window.remember()
            except Exception:  # nothing that a page forgets may keep the program
                _log.exception("what the pages remember is not kept")
            closing = session.closing_steps()
        else:
            closing = [("what was being opened", self._opening.give_up)] if self._opening is not None else []
        quick: list[Step] = [("settings", self._settings.save), ("crash file", _remove_empty_crash_file)]
        steps = [*closing[:1], *quick, *closing[1:]]  # what a step does not need, the later ones have
        self._leave(0, steps, LEAVE_S)

    def close(self) -> None:
        """Give everything back that is the process's, for whoever goes on after the window (a test)."""
        self._beats.stop()
        self._remembering.end()
        self._switch.close()
        self._hook.remove()
        if self._signals is not None:
            self._signals.close()
        for handler in (self.log, self._log_file):
            logging.getLogger().removeHandler(handler)
        self._log_file.close()
        self.manager.shutdown(timeout=1.0)
        self._dump_file.close()
        gc.unfreeze()  # see `preload`

    def _on_signal(self, number: int) -> None:
        _log.warning("%s: leaves", signal.Signals(number).name)
        self.quit()


def _log_file(folder: Path) -> RotatingFileHandler:
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(folder / "window.log", maxBytes=2_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s"))
    return handler


def _remove_empty_crash_file() -> None:
    """Remove this process's crash file (`main_hcs`) when nothing was written to it."""
    file = default_log_folder() / f"crash-{os.getpid()}.log"
    if file.exists() and file.stat().st_size == 0:
        file.unlink()
