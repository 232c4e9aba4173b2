"""How the window looks: a maintained dark theme, and the few colours that carry a meaning.

A meaning has one colour everywhere: what is selected, what went well, what waits, what failed.
"""

from __future__ import annotations

from typing import Final

import qdarktheme
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication

BACKGROUND: Final = "#202124"
SURFACE: Final = "#2A2B2E"
LINE: Final = "#3F4042"
TEXT: Final = "#E4E7EB"
FAINT: Final = "#9AA0A6"
DISABLED: Final = "#5F6368"
ACCENT: Final = "#8AB4F8"
GOOD: Final = "#81C995"
WAITING: Final = "#FDD663"
BAD: Final = "#F28B82"
STOP: Final = "#D93025"

PROGRESS: Final = "#3B64A0"
"""Dark enough for the words on it."""

GAP_PX: Final = 8
"""Distance of neighbours; margins of a page are the same."""

_OWN = f"""
QToolTip {{ color: {TEXT}; background: {SURFACE}; border: 1px solid {LINE}; padding: 3px; }}
QLabel[role="title"] {{ font-size: 15px; font-weight: 600; }}
QLabel[role="faint"] {{ color: {FAINT}; }}
QLabel[role="refusal"] {{ color: {BAD}; }}
QLabel[role="note"] {{ color: {WAITING}; }}
QPushButton[role="main"] {{ background: {ACCENT}; color: {BACKGROUND}; font-weight: 600; padding: 6px 16px; }}
QPushButton[role="main"]:disabled {{ background: {LINE}; color: {FAINT}; }}
QPushButton[role="stop"] {{ background: {STOP}; color: white; font-weight: 700; padding: 6px 14px; border: none; }}
QPushButton[role="stop"]:hover {{ background: #EA4335; }}
QPushButton[role="stop"]:disabled {{ background: {LINE}; color: {FAINT}; }}
QProgressBar {{ color: {TEXT}; }}
QProgressBar::chunk {{ background: {PROGRESS}; }}
QSplitter::handle:vertical {{ image: none; margin: 2px 120px; }}
"""


def apply_theme(app: QApplication) -> None:
    """Give the application its look."""
    app.setAttribute(Qt.ApplicationAttribute.AA_UseHighDpiPixmaps)
    app.setPalette(qdarktheme.load_palette("dark"))
    app.setStyleSheet(qdarktheme.load_stylesheet("dark", "rounded") + _OWN)
