"""A title of a few lines that keeps its height: what stands below it never jumps."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QLabel, QSizePolicy


class Headline(QLabel):
    """Lines of text, each cut where the place ends; the tooltip has them whole."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[str, ...] = ()
        self._rows = 1
        self.setAlignment(Qt.Alignment(Qt.AlignmentFlag.AlignTop) | Qt.AlignmentFlag.AlignLeft)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_lines(self, lines: Sequence[str], rows: int) -> None:
        """Show lines in a height of `rows` lines."""
        if tuple(lines) == self._lines and rows == self._rows:
            return
        self._lines, self._rows = tuple(lines), rows
        self.setToolTip("\n".join(lines))
        self._show()
        self.updateGeometry()

    def _show(self) -> None:
        metrics, width_px = self.fontMetrics(), max(1, self.contentsRect().width())
        self.setText("\n".join(metrics.elidedText(line, Qt.TextElideMode.ElideRight, width_px) for line in self._lines))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the height of its lines; the width is the place's."""
        whole = super().sizeHint()  # of the lines that are there, with what the style puts around them
        more_px = self.fontMetrics().lineSpacing() * (self._rows - max(1, len(self._lines)))
        return QSize(whole.width(), whole.height() + more_px)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same height."""
        return QSize(0, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Cut the lines anew."""
        super().resizeEvent(event)
        self._show()
