"""Looks at the images of a stored run: planes, time points, channels on top of one another, films.

Planes are read in a task; of several requests the newest wins, and the window never waits for the disk. Colours and
contrast are the view's: they change without reading again.
"""

from __future__ import annotations

from datetime import datetime

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import QAction, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from control.core.contrast import Contrast
from control.core.rendering import GREY_COLOUR, Layer
from control.core.review.viewing import View, Viewing, ViewRequest
from control.core.words import in_words
from control.gui import theme
from control.gui.axis_slider import AxisSlider
from control.gui.channel_rows import ChannelRows
from control.gui.film import Film
from control.gui.image_view import ImageView, Pace
from control.gui.parts import faint_label
from control.gui.view_tools import ViewTools
from control.gui.view_transform import Placement
from squid.models.layout import ImageLayout
from squid.utils.worker_manager import WorkerManager, WorkerResult

NOTHING = "Open a run to see its images: choose one of the list, or drop a run folder on the window."

COARSE_PLANES = 5
"""So many planes per notch of the wheel with Shift."""

_LIMIT_MS = 30_000
_CHANNELS_PX = 330


class RunViewer(QWidget):
    """The images of one run, one at a time.

    Parameters
    ----------
    manager : WorkerManager
        Runs the reading.
    contrast : Contrast
        Of the channels, by name.

    Attributes
    ----------
    picture_shown : pyqtSignal()
        What was asked for last is shown.
    """

    picture_shown = pyqtSignal()

    def __init__(self, manager: WorkerManager, contrast: Contrast) -> None:
        super().__init__()
        self._manager = manager
        self._viewing: Viewing | None = None
        self._image: ImageLayout | None = None
        self._shown: View | None = None
        self.view = ImageView()
        self.view.setObjectName("planeView")
        self.tools = ViewTools(self.view)
        self.channels = ChannelRows(contrast)
        self.film = Film(self, self._is_waiting)
        self.z = AxisSlider("z plane", self.film.play_z)
        self.t = AxisSlider("time point", self.film.play_t)
        self.film.set_axes(self.z, self.t)
        self._place = faint_label()
        self._place.setObjectName("frameInfo")
        self._column = QScrollArea()
        self._put_together()
        self._connect()
        self.set_run(None)

    def menu_actions(self) -> list[QAction | None]:
        """Return what a person can do here."""
        return [self.film.play_z, self.film.play_t, None, *self.tools.menu_actions()]

    @property
    def shown(self) -> View | None:
        """What is shown."""
        return self._shown

    def set_run(self, viewing: Viewing | None) -> None:
        """Show another run; an image comes with `show_image`."""
        self.film.stop()
        self._viewing, self._image, self._shown = viewing, None, None
        self.view.clear()
        self.view.set_message(NOTHING if viewing is None else "No frame is stored yet.")
        self._place.setText("")
        self._column.setVisible(viewing is not None)
        self.tools.setVisible(viewing is not None)
        if viewing is not None:
            layout = viewing.run.layout
            self.channels.set_channels(layout.channels)
            self.view.set_shape(layout.shape_px)

    def show_image(self, image: ImageLayout) -> None:
        """Show a field or position, at the plane and time point of the one before."""
        is_first, self._image = self._image is None, image
        for axis, count in ((self.z, image.size_z), (self.t, image.size_t)):
            axis.blockSignals(True)
            axis.set_count(count)
            axis.blockSignals(False)
        if is_first:
            self.z.blockSignals(True)
            self.z.set_index(image.size_z // 2)  # where the focus is most likely
            self.z.blockSignals(False)
        self.view.wheel_focuses = image.size_z > 1
        self.film.play_z.setEnabled(image.size_z > 1)
        self.film.play_t.setEnabled(image.size_t > 1)
        self.reload()

    def reload(self) -> None:
        """Ask for what is chosen now."""
        viewing, image = self._viewing, self._image
        if viewing is None or image is None:
            return
        request = ViewRequest(image, self.t.index, self.z.index, self.channels.shown, self._level(viewing))
        self._manager.submit(
            "read a plane",
            lambda: (viewing, viewing.show(request)),
            timeout_ms=_LIMIT_MS,
            on_complete=self._on_view,
            on_error=self._on_error,
            coalesce_key="read a plane",
        )

    # --- what comes -------------------------------------------------------------------------------------------------

    def _on_view(self, result: WorkerResult) -> None:
        viewing: Viewing
        view: View
        viewing, view = result.value
        if viewing is not self._viewing:
            return
        self._shown = view
        for c, counts in view.counts.items():
            self.channels.show_counts(c, counts, view.fitting[c])
        names = [channel.name for channel in viewing.run.layout.channels]
        absent = [f"{names[c]}: {why}" for c, why in view.absences.items()]
        self.view.set_message("\n".join(absent) if view.request.channels else "no channel is chosen")
        self._show_planes()
        self._place.setText(_describe(view))
        self.picture_shown.emit()

    def _show_planes(self) -> None:
        """Show the planes that are there, in the contrast of now."""
        viewing, view = self._viewing, self._shown
        if viewing is None or view is None:
            return
        layout = viewing.run.layout
        is_alone = len(view.planes) == 1
        layers = [
            Layer(plane, self.channels.limits(c), GREY_COLOUR if is_alone else channel.preset.colour, channel.name)
            for c, plane in view.planes.items()
            for channel in [layout.channels[c]]
        ]
        frame = view.frame
        place = Placement(frame.actual.x_um, frame.actual.y_um, layout.pixel_size_um) if frame is not None else None
        self.view.show_image(layers, layout.significant_bits, place, layout.shape_px)

    def _on_error(self, result: WorkerResult) -> None:
        self.film.stop()
        self.view.clear()
        self.view.set_message(in_words(result.error))

    def _is_waiting(self) -> bool:
        """Return whether a picture is still to come: a slow disk makes a slow film, not a jumping one."""
        view = self._shown
        return view is None or (view.request.t, view.request.z) != (self.t.index, self.z.index)

    # --- what a person does -----------------------------------------------------------------------------------------

    def _focus(self, notches: int, pace: Pace) -> None:
        """Go through the planes with the wheel, as it focuses in live view."""
        self.z.set_index(self.z.index + notches * (COARSE_PLANES if pace is Pace.COARSE else 1))

    def _on_scale(self) -> None:
        """Ask for another level of the pyramid, if it suits better than the one shown."""
        viewing, shown = self._viewing, self._shown
        if viewing is not None and shown is not None and self._level(viewing) != shown.request.level:
            self.reload()

    def _level(self, viewing: Viewing) -> int:
        return min(self.view.level, viewing.run.levels - 1)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show contrasts as other pages left them; keys are for the image."""
        self.channels.refresh()
        self._show_planes()
        self.view.setFocus()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Stop a film that nobody sees."""
        self.film.stop()

    # --- made once --------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.z.value_changed.connect(self.reload)
        self.t.value_changed.connect(self.reload)
        self.channels.chosen.connect(self.reload)
        self.channels.contrast_changed.connect(self._show_planes)
        self.view.focus_requested.connect(self._focus)
        self.view.scale_changed.connect(self._on_scale)

    def _put_together(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(theme.GAP_PX // 2)
        left.addWidget(self.tools)
        left.addWidget(self.view, 1)
        left.addWidget(self._place)
        left.addWidget(self.z)
        left.addWidget(self.t)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.GAP_PX, 0, theme.GAP_PX, 0)
        title = QLabel("Channels")
        title.setProperty("role", "title")
        column.addWidget(title)
        column.addWidget(self.channels)
        column.addStretch(1)
        self._column.setWidgetResizable(True)
        self._column.setFrameShape(QScrollArea.Shape.NoFrame)
        self._column.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._column.setFixedWidth(_CHANNELS_PX)
        self._column.setWidget(inside)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, theme.GAP_PX, 0, 0)
        layout.addLayout(left, 1)
        layout.addWidget(self._column)


def _describe(view: View) -> str:
    image, frame = view.request.image, view.frame
    if frame is None:
        return f"{image.name}: no frame here"
    when = datetime.fromtimestamp(frame.utc_s).strftime("%Y-%m-%d %H:%M:%S")
    x_um, y_um, z_um = frame.actual
    again = f", {frame.attempts} exposures" if frame.attempts > 1 else ""
    return (
        f"{image.name}   x {x_um / 1000:.3f} mm, y {y_um / 1000:.3f} mm, z {z_um:.2f} µm "
        f"(planned {frame.target.z_um:.2f})   {frame.exposure_ms:g} ms{again}   {when}"
    )
