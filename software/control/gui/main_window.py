"""The window: four pages in the order of the work, menus, docks, status, and the emergency stop.

::

    start page ──attach(session, pages)──▶ look · plan · run · review ──close──▶ on_quit

Owns the frame; what a page does is the page's business. Asks before it closes on a run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt5 import sip
from PyQt5.QtCore import QByteArray, Qt
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import QDockWidget, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from control.gui.about import help_actions
from control.gui.log_panel import LogBuffer, LogPanel
from control.gui.menus import Menus
from control.gui.message_bar import MessageBar, Weight
from control.gui.navigation import PAGES, Navigation
from control.gui.parts import make_action
from control.gui.settings import SettingsFile
from control.gui.start_page import StartPage
from control.gui.status_strip import StatusStrip

if TYPE_CHECKING:  # slow to import; loaded while the window is already shown
    from control.core.session import Session
    from control.gui.follower import Follower
    from control.gui.pages import Pages

_CONTRAST = "contrast"
"""Remembered beside the pages, since all of them have a part in it."""


class MainWindow(QMainWindow):
    """The program's one window.

    Parameters
    ----------
    settings : SettingsFile
        What is remembered.
    log : LogBuffer
        Shown in the log dock.
    on_quit : callable
        Leaves the program; called once a person has decided to.
    """

    def __init__(self, settings: SettingsFile, log: LogBuffer, on_quit: Callable[[], None]) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("Squid HCS")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self._settings, self._on_quit = settings, on_quit
        self.session: Session | None = None
        self.pages: Pages | None = None
        self.page = "look"
        self._follower: Follower | None = None
        self._close_question: QWidget | None = None
        self.emergency_action = make_action(
            self,
            "Emergency stop",
            self.emergency_stop,
            shortcut="F12",
            tip="Light off and stage stopped at once; live view and run end",
            image="alert-octagon",
        )
        self.navigation, self.bar = Navigation(self.emergency_action), MessageBar()
        self.start_page, self._stack, self.strip = StartPage(), QStackedWidget(), StatusStrip()
        self._lay_out()
        self._log_dock = self._dock("Log", LogPanel(log), Qt.DockWidgetArea.BottomDockWidgetArea)
        self._devices_dock = self._dock("Devices", QWidget(), Qt.DockWidgetArea.RightDockWidgetArea)
        self.menus = Menus(self)
        self._fill_menus()
        self.resize(1366, 740)
        self.restoreGeometry(_bytes(settings.values.geometry))

    def _lay_out(self) -> None:
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for widget in (self.navigation, self.bar):
            layout.addWidget(widget)
        layout.addWidget(self._stack, 1)
        self._stack.addWidget(self.start_page)
        self.setCentralWidget(body)
        self.setStatusBar(self.strip)
        self.navigation.page_chosen.connect(self.show_page)
        self.navigation.set_pages_enabled(False)
        self.emergency_action.setEnabled(False)

    def _dock(self, title: str, panel: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(f"{title.lower()}Dock")
        dock.setWidget(panel)
        self.addDockWidget(area, dock)
        dock.hide()
        return dock

    def _fill_menus(self) -> None:
        leave = make_action(self, "&Quit", self.close, shortcut="Ctrl+Q", tip="Leave the program", image="exit-to-app")
        self.menus.fill("file", [self.emergency_action, None, leave])
        log, devices = self._log_dock.toggleViewAction(), self._devices_dock.toggleViewAction()
        for action, key in ((log, "Ctrl+Shift+L"), (devices, "Ctrl+Shift+D")):
            assert action is not None
            action.setShortcut(key)
            action.setToolTip(f"Show or hide this panel ({key})")
        self.menus.fill("window", [*self.navigation.actions_of_pages, None, log, devices, self.bar.dismiss_action])
        self.menus.fill("help", help_actions(self))

    # --- the session ------------------------------------------------------------------------------------------------

    def attach(self, session: Session, pages: Pages) -> None:
        """Take an open session and its pages; from now on there is work to do."""
        from control.gui.devices_panel import DevicesPanel  # with the session, not before it
        from control.gui.follower import Follower

        self.session, self.pages = session, pages
        pages.contrast.restore(self._settings.values.pages.get(_CONTRAST, {}))
        pages.made.connect(self._take_page)
        pages.made.connect(self._frame, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]
        self._devices_dock.setWidget(DevicesPanel(session.monitor))
        self._follower = Follower(session, self.strip, self.bar, self._is_looking)
        self.setWindowTitle(f"{session.machine.name} – Squid HCS")
        self.navigation.set_pages_enabled(True)
        self.emergency_action.setEnabled(True)
        self.restoreState(_bytes(self._settings.values.layout))
        self.restoreGeometry(_bytes(self._settings.values.geometry))  # docks that come back have enlarged the window
        self.show_page(self.first_page)

    def _is_looking(self) -> bool:
        """Whether the live image can be seen."""
        return self.pages is not None and self.pages.is_made("look") and self.pages.look.isVisible()

    @property
    def first_page(self) -> str:
        """The page that is shown first: the one that was shown last."""
        page = self._settings.values.page
        return page if page in PAGES else "look"

    def _take_page(self, name: str) -> None:
        """Show a page that was made as it was left the last time."""
        assert self.pages is not None
        kept = self._settings.values.pages
        if name in kept:
            getattr(self.pages, name).restore(kept[name])
        self._tell_of_plan()

    def _frame(self, name: str) -> None:
        """Put a page into the frame, if it is not there: before it is shown, or one turn after it was made."""
        page = getattr(self.pages, name)
        if self._stack.indexOf(page) < 0:
            self._stack.addWidget(page)
            self.menus.fill_page(name, page.menu_actions(), page)
            self.menus.show_page(self.page)

    def _tell_of_plan(self) -> None:
        """Let Look show the wells of the plan's plate, and Review the runs where the next one would lie."""
        pages = self.pages
        if pages is None or not pages.is_made("plan"):
            return
        if pages.is_made("look"):
            pages.look.set_plate(pages.plan.plate)
        folder = pages.plan.storage.folder
        if self.page == "review" and pages.is_made("review") and pages.review.run is None and folder is not None:
            pages.review.set_output_folder(folder)

    def show_page(self, name: str) -> None:
        """Show a page by name: look, plan, run or review; one that is not there yet is made."""
        if name not in PAGES or self.pages is None:
            return
        self.page = name
        self._frame(name)
        self._stack.setCurrentWidget(self.pages.by_name(name))
        self._tell_of_plan()
        self.navigation.show_page(name)
        self.menus.show_page(name)

    def emergency_stop(self) -> None:
        """Light off and stage stopped, whatever else hangs; then say what was confirmed."""
        if self.session is not None and self._follower is not None:
            self._follower.follow_stop(self.session.emergency_stop())

    def say(self, text: str) -> None:
        """Show a warning."""
        self.bar.say(text, Weight.WARNING)

    def show_error(self, stack: str) -> None:
        """Show that something failed which nobody foresaw; the program goes on."""
        last = stack.strip().splitlines()[-1]
        self.bar.say(
            f"Something failed that should not: {last}. The program goes on; runs are not touched.", Weight.FAULT, stack
        )

    # --- files dropped on the window --------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take a file or a folder, once there are pages."""
        if event is not None and self.pages is not None and _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        """Open a plan file on the Plan page, a run folder on the Review page."""
        path = _dropped(event) if event is not None else None
        if path is not None:
            self.open_path(path)

    def open_path(self, path: Path) -> None:
        """Open a plan file on the Plan page, a run folder on the Review page."""
        if self.pages is None:
            return
        if path.is_dir():
            self.show_page("review")
            self.pages.review.open_folder(path)
        else:
            self.show_page("plan")
            self.pages.plan.open_file(path)

    # --- the end ----------------------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ask when a run is under way; otherwise leave."""
        if event is None:
            return
        event.ignore()  # whoever leaves ends the process; nothing is destroyed under the feet of threads
        if self.session is not None and self.session.queue.current is not None:
            from control.gui.questions import ask_before_closing  # with the session, not before it

            if self._close_question is None or sip.isdeleted(self._close_question):
                self._close_question = ask_before_closing(self, self.session.queue.pause, self._on_quit)
        else:
            self._on_quit()

    def remember(self) -> None:
        """Put what is to be remembered into the settings."""
        pages: dict[str, dict[str, Any]] = {}
        if self.pages is not None:
            made = [name for name in PAGES if self.pages.is_made(name)]
            pages = {name: getattr(self.pages, name).remember() for name in made}
            pages[_CONTRAST] = self.pages.contrast.remember()
        self._settings.change(
            geometry=_text(self.saveGeometry()),
            layout=_text(self.saveState()),
            page=self.page,
            pages={**self._settings.values.pages, **pages},
        )


def _dropped(event: QDropEvent) -> Path | None:
    data = event.mimeData()
    files = [url.toLocalFile() for url in data.urls()] if data is not None and data.hasUrls() else []
    return Path(files[0]) if files and files[0] else None


def _bytes(text: str) -> QByteArray:
    return QByteArray.fromBase64(text.encode(errors="replace"))


def _text(data: QByteArray) -> str:
    return bytes(data.toBase64()).decode()
