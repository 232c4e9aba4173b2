"""Plan page: the line over the sections: which file, whether it is saved, new, open, save, undo, redo."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PyQt5.QtWidgets import QAction, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from control.gui import theme
from control.gui.parts import faint_label

_SHOWN, _IN_TOOLTIP = 4, 30
"""Of what a file says and the page cannot show; a plan may have thousands."""


class PlanHead(QWidget):
    """The file's name, buttons for it, and what the file says that the page cannot show.

    Parameters
    ----------
    actions : iterable of QAction
        Get a button each.
    """

    def __init__(self, actions: Iterable[QAction]) -> None:
        super().__init__()
        self.file_name = QLabel()
        self.file_name.setObjectName("planFile")
        self.kept = faint_label()
        self.kept.setObjectName("planKept")
        self.kept.setProperty("role", "note")
        line = QHBoxLayout()
        line.setContentsMargins(theme.GAP_PX, 0, theme.GAP_PX, 0)
        line.addWidget(self.file_name, 1)
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAutoRaise(True)
            line.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX)
        layout.addLayout(line)
        layout.addWidget(self.kept)

    def show_file(self, path: Path | None, kept: Iterable[str], *, is_unsaved: bool) -> None:
        """Show which file is open, whether the page has changes that it has not, and what is kept of it unseen."""
        self.file_name.setText(f"{path.name if path else 'New plan'}{' •' if is_unsaved else ''}")
        self.file_name.setToolTip("• has changes that are not saved" if is_unsaved else str(path or ""))
        parts = tuple(kept)
        more = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
        self.kept.setText(f"Also in the file, and kept: {'; '.join(parts[:_SHOWN])}{more}" if parts else "")
        self.kept.setToolTip("\n".join(parts[:_IN_TOOLTIP]))
        self.kept.setVisible(bool(parts))
