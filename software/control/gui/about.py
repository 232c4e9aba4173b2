"""Help: the user guide's page, where the logs are, and which versions run."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import PYQT_VERSION_STR, QT_VERSION_STR, QUrl
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import QAction, QMessageBox, QWidget

from control.gui.parts import make_action
from squid.utils.thread_dump import default_log_folder

_GUIDE = Path(__file__).resolve().parents[3] / "docs" / "user_guide.md"


def help_actions(window: QWidget) -> list[QAction]:
    """Return the actions of the help menu."""
    return [
        make_action(
            window, "User &guide", _open(_GUIDE), shortcut="F1", tip="Open the guide", image="help-circle-outline"
        ),
        make_action(
            window,
            "&Log folder",
            _open(default_log_folder()),
            shortcut="Shift+F1",
            tip="Logs and stack dumps",
            image="folder-outline",
        ),
        make_action(
            window, "&About", lambda: _about(window), shortcut="Ctrl+F1", tip="Versions", image="information-outline"
        ),
    ]


def _open(path: Path) -> Callable[[], object]:
    return lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def _about(window: QWidget) -> None:
    text = (
        "<h3>Squid HCS</h3><p>Runs high-content screening plates on motorised microscopes, real or simulated.</p>"
        f"<p>Python {platform.python_version()}, Qt {QT_VERSION_STR}, PyQt {PYQT_VERSION_STR}</p>"
    )
    box = QMessageBox(QMessageBox.Icon.NoIcon, "About", text, parent=window)
    box.open()
