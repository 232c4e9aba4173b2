"""A small picture of one well with its fields to scale."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from PyQt5.QtCore import QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QSizePolicy, QWidget

from control.gui import theme
from control.gui.painting import painting
from squid.models.plate import PlateGeometry

_MARGIN_PX = 6.0


class FieldPreview(QWidget):
    """One well and its fields; the line through them is the order in which they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("fieldPreview")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("One well with its fields to scale; the line is the order in which they are taken")
        self.fields: tuple[tuple[float, float], ...] = ()
        self._fov_um = (0.0, 0.0)
        self._well_um = 0.0
        self._is_round = True

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size at which single fields are still seen."""
        return QSize(160, 124)

    def show_fields(
        self, plate: PlateGeometry | None, fov_um: tuple[float, float], offsets_um: Iterable[tuple[float, float]]
    ) -> None:
        """Show fields.

        Parameters
        ----------
        plate : PlateGeometry or None
            Whose well is drawn; None: none.
        fov_um : (float, float)
            Width and height of a field.
        offsets_um : iterable of (float, float)
            Centres of the fields from the well's centre, in the order in which they are taken.
        """
        self.fields = tuple(offsets_um)
        self._fov_um = fov_um
        self._well_um = 1000 * plate.well_size_mm if plate is not None else 0.0
        self._is_round = plate is not None and plate.round_wells
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the well, then its fields, then their order."""
        scale = self._scale()
        if scale == 0:
            return
        with painting(self, is_smooth=True) as painter:
            painter.translate(self.width() / 2, self.height() / 2)
            self._paint_well(painter, scale)
            self._paint_fields(painter, scale)

    def _scale(self) -> float:
        """Return pixels per µm, so that well and fields fit; 0: there is nothing to show."""
        reach = [self._well_um / 2]
        for axis in (0, 1):
            reach += [abs(field[axis]) + self._fov_um[axis] / 2 for field in self.fields]
        return (min(self.width(), self.height()) / 2 - _MARGIN_PX) / max(reach) if max(reach) > 0 else 0.0

    def _paint_well(self, painter: QPainter, scale: float) -> None:
        if self._well_um == 0:
            return
        side = self._well_um * scale
        well = QRectF(-side / 2, -side / 2, side, side)
        painter.setPen(QPen(QColor(theme.FAINT), 1.5))
        painter.setBrush(QColor(theme.SURFACE))
        if self._is_round:
            painter.drawEllipse(well)
        else:
            painter.drawRoundedRect(well, 3, 3)

    def _paint_fields(self, painter: QPainter, scale: float) -> None:
        width, height = (max(2.0, um * scale) for um in self._fov_um)
        centres = [QPointF(x * scale, y * scale) for x, y in self.fields]
        fill = QColor(theme.ACCENT)
        fill.setAlpha(110)
        painter.setBrush(fill)
        painter.setPen(QPen(QColor(theme.ACCENT), 1) if min(width, height) > 5 else Qt.PenStyle.NoPen)
        for centre in centres:
            painter.drawRect(QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height))
        painter.setPen(QPen(QColor(theme.TEXT), 1))
        for one, following in pairwise(centres):
            painter.drawLine(one, following)
        if len(centres) > 1:
            painter.setBrush(QColor(theme.TEXT))
            painter.drawEllipse(centres[0], 2.5, 2.5)
