"""The frame that the run stored last, at full size: zoom, pan and grey values as everywhere."""

from __future__ import annotations

from PyQt5.QtWidgets import QLabel, QVBoxLayout, QWidget

from control.core.contrast import Contrast
from control.core.previews import LastFrame, Previews
from control.core.rendering import Layer
from control.gui import theme
from control.gui.image_view import ImageView
from control.gui.view_transform import Placement
from squid.models.layout import DatasetLayout


class LastFrameView(QWidget):
    """Shows the newest frame, with the contrast of its channel.

    Parameters
    ----------
    previews : Previews
        Where it comes from.
    contrast : Contrast
        Of the channels, by name.
    """

    def __init__(self, previews: Previews, contrast: Contrast) -> None:
        super().__init__()
        self._previews = previews
        self._contrast = contrast
        self._shown: tuple[int, int, tuple[int, int]] = (0, 0, (0, 0))
        self.view = ImageView()
        self.view.setObjectName("lastFrameView")
        self.caption = QLabel("No frame has been stored yet.")
        self.caption.setObjectName("lastFrameCaption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX // 2)
        layout.addWidget(self.caption)
        layout.addWidget(self.view, 1)

    def refresh(self) -> None:
        """Show the newest frame, if there is a newer one or another contrast."""
        previews = self._previews
        frame, layout, fitting = previews.newest(), previews.layout, previews.contrasts()
        if frame is None or layout is None or frame.record.event.c >= len(fitting):
            return
        event, position = frame.record.event, frame.record.actual
        limits = self._contrast.limits(event.channel, fitting[event.c], layout.significant_bits)
        if self._shown == (previews.run_number, frame.number, limits):
            return
        self._shown = (previews.run_number, frame.number, limits)
        placement = Placement(position.x_um, position.y_um, layout.pixel_size_um)
        self.view.show_image([Layer(frame.pixels, limits)], layout.significant_bits, placement)
        self.caption.setText(caption_of(frame, layout))


def caption_of(frame: LastFrame, layout: DatasetLayout) -> str:
    """Return what a frame shows, in words."""
    event = frame.record.event
    image = layout.images[event.image]
    planes = f", plane {event.z + 1} of {image.size_z}" if image.size_z > 1 else ""
    times = f", time point {event.t + 1} of {image.size_t}" if image.size_t > 1 else ""
    place = image.name if image.well is None else f"well {image.well.name}, field {image.field + 1}"
    return f"Frame {event.index}: {place}, {event.channel}{planes}{times}"
