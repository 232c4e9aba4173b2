"""A picture that is drawn in a task whenever it has changed, shown as large as it fits, with name and scale bar."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PyQt5.QtCore import QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from control.core.rendering import Rgb32
from control.gui import theme
from control.gui.image_overlays import round_length_um, scale_text
from control.gui.painting import painting
from squid.utils.worker_manager import WorkerManager, WorkerResult

_DRAW_MS = 10_000


@dataclass(frozen=True)
class Picture:
    """What is shown: the picture, the size of its pixels in µm, and a line about it."""

    image: QImage
    pixel_um: float
    caption: str


class PictureView(QWidget):
    """Shows the newest picture.

    Parameters
    ----------
    name : str
        Of the widget and, in words, of the task.
    manager : WorkerManager
        Draws.
    revision : callable
        Changes with the picture; None: there is nothing to draw. Called in the window's thread.
    draw : callable
        Draws the picture of a revision, in a task; None: there is none.
    nothing : str
        Shown before the first.
    """

    def __init__(
        self,
        name: str,
        manager: WorkerManager,
        revision: Callable[[], Hashable | None],
        draw: Callable[[Any], Picture | None],
        nothing: str,
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 200)
        self._task = f"draw {name}"
        self._manager, self._revision, self._draw, self._nothing = manager, revision, draw, nothing
        self._shown: Hashable | None = None
        self._is_drawing = False
        self.picture: Picture | None = None

    def refresh(self) -> None:
        """Have the picture drawn if it has changed."""
        revision = self._revision()
        if self._is_drawing or revision is None or revision == self._shown:
            return
        self._is_drawing = True
        self._manager.submit(
            self._task,
            partial(self._draw, revision),
            timeout_ms=_DRAW_MS,
            on_complete=partial(self._take, revision),
            on_finished=self._drawing_ended,
            coalesce_key=self._task,
        )

    def _take(self, revision: Hashable, result: WorkerResult) -> None:
        self._shown = revision
        if result.value is not None:
            self.picture = result.value
            self.update()

    def _drawing_ended(self, _: WorkerResult) -> None:
        self._is_drawing = False

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a comfortable size."""
        return QSize(640, 640)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint the picture, its name and a scale bar."""
        with painting(self) as painter:
            painter.fillRect(self.rect(), QColor("black"))
            if self.picture is None:
                painter.setPen(QColor(theme.FAINT))
                painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self._nothing)
            else:
                self._paint(painter, self.picture)

    def _paint(self, painter: QPainter, picture: Picture) -> None:
        image = picture.image
        scale = min(self.width() / image.width(), self.height() / image.height())
        width, height = image.width() * scale, image.height() * scale
        place = QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, image, QRectF(image.rect()))
        self._write(painter, QRectF(10, 8, self.width() - 20, 22), picture.caption)
        self._paint_bar(painter, scale / picture.pixel_um)

    def _paint_bar(self, painter: QPainter, px_per_um: float) -> None:
        length_um = round_length_um(self.width() / 5 / px_per_um)
        bar = QRectF(10, self.height() - 16, length_um * px_per_um, 4)
        painter.fillRect(bar.adjusted(-1, -1, 1, 1), QColor("black"))
        painter.fillRect(bar, QColor("white"))
        self._write(painter, QRectF(10, self.height() - 42, 200, 22), scale_text(length_um))

    def _write(self, painter: QPainter, where: QRectF, text: str) -> None:
        """Write on whatever is below: light letters with a dark edge."""
        for dx, colour in ((1.0, "black"), (0.0, "white")):
            painter.setPen(QColor(colour))
            painter.drawText(where.translated(dx, dx), int(Qt.AlignmentFlag.AlignLeft), text)


def image_of(picture: Rgb32) -> QImage:
    """Return a picture as Qt has it, with memory of its own."""
    height, width = picture.shape[:2]
    return QImage(picture.tobytes(), width, height, 4 * width, QImage.Format.Format_RGB32).copy()
