"""The live image with its tools, its contrast and its line profile: what a person looks at, wherever it comes from.

::

    LiveFrame ─▶ grey values, ten times a second ─▶ contrast ─▶ view, outlines of wells, profile

Knows no device: a frame, and how the camera is mounted, are all it needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PyQt5.QtWidgets import QVBoxLayout, QWidget

from control.core.contrast import Contrast
from control.core.grey_values import GreyCounts
from control.core.live import LiveFrame
from control.core.rendering import GREY_COLOUR, Layer
from control.gui import theme
from control.gui.contrast_control import ContrastControl
from control.gui.image_view import ImageView
from control.gui.line_profile import LineProfile
from control.gui.live_placement import placement_of, well_outlines
from control.gui.look_tools import LookTools
from control.gui.view_transform import Placement
from squid.models.geometry import Orientation
from squid.models.plate import PlateGeometry

MEASURE_S = 0.1
"""Least time between two looks at the grey values."""


class LiveImage(QWidget):
    """Shows frames.

    Parameters
    ----------
    contrast : Contrast
        Of the channels, by name.
    orientation : Orientation
        How the camera is mounted.
    sensor_shape_px : (int, int)
        Height and width of its whole sensor, unbinned.
    clock : callable
        Seconds; `time.monotonic`.

    Attributes
    ----------
    control : ContrastControl
        For the page to put where it likes.
    """

    def __init__(
        self,
        contrast: Contrast,
        orientation: Orientation,
        sensor_shape_px: tuple[int, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._orientation, self._sensor_shape_px, self._clock = orientation, sensor_shape_px, clock
        self._plate: PlateGeometry | None = None
        self._frame: LiveFrame | None = None
        self._place: Placement | None = None
        self._measured_s = float("-inf")
        self.view = ImageView(has_stage=True)
        self.tools = LookTools(self.view)
        self.control = ContrastControl(contrast)
        self.profile = LineProfile()
        self.profile.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX // 2)
        layout.addWidget(self.tools)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.profile)
        self.tools.switched.connect(self._switched)
        self.control.changed.connect(self._show_pixels)
        self.view.line_drawn.connect(self._line_drawn)

    @property
    def frame(self) -> LiveFrame | None:
        """What is shown."""
        return self._frame

    def show_frame(self, frame: LiveFrame) -> None:
        """Show another frame."""
        before, self._frame = self._frame, frame
        self.view.set_message("")
        self._measure(frame, before)
        place = placement_of(frame, self._orientation, self._sensor_shape_px)
        if place != self._place or before is None or frame.pixels.shape != before.pixels.shape:
            self._place = place
            self._show_outlines()
        self._show_pixels()
        self._show_profile()

    def set_plate(self, plate: PlateGeometry | None) -> None:
        """Draw the walls of this plate's wells over the image; None: no plate."""
        self._plate = plate
        self._show_outlines()

    def refresh(self) -> None:
        """Show the contrast as it is now: other pages change it, too."""
        self.control.refresh()
        self._show_pixels()

    def _measure(self, frame: LiveFrame, before: LiveFrame | None) -> None:
        """Look at the grey values, at most ten times a second, and at once when the channel changes."""
        now_s = self._clock()
        is_same = before is not None and frame.channel == before.channel
        if is_same and now_s - self._measured_s < MEASURE_S:
            return
        self._measured_s = now_s
        counts = GreyCounts.of(frame.pixels, frame.significant_bits)
        self.control.show_counts(frame.channel, counts, counts.limits(), frame.colour)

    def _show_pixels(self) -> None:
        frame = self._frame
        if frame is not None:
            colour = frame.colour if self.tools.colour_action.isChecked() else GREY_COLOUR
            layer = Layer(frame.pixels, self.control.limits, colour)
            self.view.show_image([layer], frame.significant_bits, self._place)

    def _show_outlines(self) -> None:
        frame, plate, place = self._frame, self._plate, self._place
        if frame is None or plate is None or place is None:
            self.view.set_outlines(())
            return
        height, width = frame.pixels.shape
        self.view.set_outlines(well_outlines(plate, place, (height, width)))

    def _show_profile(self) -> None:
        if self._frame is not None and self.profile.isVisible():
            self.profile.show_image(self._frame.pixels, self._frame.pixel_size_um)

    def _switched(self) -> None:
        """One of the switches was pressed: show what they say."""
        wants_line = self.tools.line_action.isChecked()
        if wants_line != self.profile.isVisibleTo(self):
            self.profile.setVisible(wants_line)
            self.profile.set_line(None)
        self._show_pixels()

    def _line_drawn(self, points: list[tuple[float, float]]) -> None:
        self.profile.set_line((points[0], points[1]))
        self._show_profile()
