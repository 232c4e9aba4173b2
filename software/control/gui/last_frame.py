"""The frame that the run stored last, at full size: zoom, pan and grey values as everywhere."""

from __future__ import annotations

from PyQt5.QtWidgets import QLabel, QVBoxLayout, QWidget

from control.core.previews import LastFrame, Previews
from control.gui import theme
from control.gui.image_view import CursorReading, ImageView, Placement
from squid.models.layout import DatasetLayout


class LastFrameView(QWidget):
    """Shows the newest frame, with the contrast of its channel.

    Parameters
    ----------
    previews : Previews
        Where it comes from.
    """

    def __init__(self, previews: Previews) -> None:
        super().__init__()
        self._previews = previews
        self._shown: tuple[int, int] = (0, 0)
        self.view = ImageView()
        self.view.setObjectName("lastFrameView")
        self.caption = QLabel("No frame has been stored yet.")
        self.caption.setObjectName("lastFrameCaption")
        self.reading = QLabel()
        self.reading.setProperty("role", "faint")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX // 2)
        layout.addWidget(self.caption)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.reading)
        self.view.cursor_moved.connect(self._show_reading)

    def refresh(self) -> None:
        """Show the newest frame, if there is a newer one."""
        frame, layout = self._previews.newest(), self._previews.layout
        if frame is None or layout is None or self._shown == (self._previews.run_number, frame.number):
            return
        self._shown = (self._previews.run_number, frame.number)
        position = frame.record.actual
        placement = Placement(position.x_um, position.y_um, layout.pixel_size_um)
        self.view.show_image(frame.pixels, layout.significant_bits, placement)
        limits = self._previews.contrasts()
        if frame.record.event.c < len(limits):
            self.view.set_tone(*limits[frame.record.event.c])
        self.caption.setText(caption_of(frame, layout))

    def _show_reading(self, reading: CursorReading | None) -> None:
        self.reading.setText("" if reading is None else str(reading))


def caption_of(frame: LastFrame, layout: DatasetLayout) -> str:
    """Return what a frame shows, in words."""
    event = frame.record.event
    image = layout.images[event.image]
    planes = f", plane {event.z + 1} of {image.size_z}" if image.size_z > 1 else ""
    times = f", time point {event.t + 1} of {image.size_t}" if image.size_t > 1 else ""
    place = image.name if image.well is None else f"well {image.well.name}, field {image.field + 1}"
    return f"Frame {event.index}: {place}, {event.channel}{planes}{times}"
