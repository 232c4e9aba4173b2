"""F12 everywhere: also while a dialog is open, where a window's own shortcuts do not reach."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtGui import QGuiApplication, QKeyEvent, QWindow

KEY = Qt.Key.Key_F12


class EmergencyKey(QObject):
    """Calls back when F12 is pressed in any window of the program.

    A key goes to the native window first, and only from there to a widget: a filter on each window sees it whatever has
    the focus, and costs nothing for all the other events of all the widgets.

    Parameters
    ----------
    app : QGuiApplication
        The program.
    on_pressed : callable
        The emergency stop; must return at once.
    """

    def __init__(self, app: QGuiApplication, on_pressed: Callable[[], object]) -> None:
        super().__init__(app)
        self._on_pressed = on_pressed
        app.focusWindowChanged.connect(self._watch)
        self._watch(app.focusWindow())

    def eventFilter(self, _: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Take F12; leave everything else alone."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == KEY:
            if not event.isAutoRepeat():
                self._on_pressed()
            return True
        return False

    def _watch(self, window: QWindow | None) -> None:
        if window is not None:
            window.removeEventFilter(self)  # else a window seen twice would press twice
            window.installEventFilter(self)
