"""Looks at the images of a stored run: planes, time points, channels on top of one another, films.

Planes are read and drawn in a task; of several requests the newest wins, and the window never waits for the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QHideEvent, QImage
from PyQt5.QtWidgets import QAction, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from control.core.review.viewing import Picture, Viewing, ViewRequest, auto_limits
from control.core.words import in_words
from control.gui import theme
from control.gui.axis_slider import AxisSlider
from control.gui.channel_rows import ChannelRows
from control.gui.parts import faint_label, make_action
from control.gui.plane_view import PlaneView
from squid.errors import StorageError
from squid.models.layout import ImageLayout
from squid.utils.worker_manager import WorkerManager, WorkerResult

FILM_MS = 150
"""Between two pictures of a film."""

NOTHING = "Open a run to see its images: choose one of the list, or drop a run folder on the window."

_LIMIT_MS = 30_000
_CHANNELS_PX = 250


class RunViewer(QWidget):
    """The images of one run, one at a time.

    Parameters
    ----------
    manager : WorkerManager
        Runs the reading.

    Attributes
    ----------
    picture_shown : pyqtSignal()
        A picture has come.
    """

    picture_shown = pyqtSignal()

    def __init__(self, manager: WorkerManager) -> None:
        super().__init__()
        self._manager = manager
        self._viewing: Viewing | None = None
        self._image: ImageLayout | None = None
        self._picture: Picture | None = None
        self._film: AxisSlider | None = None
        self.z: AxisSlider
        self.t: AxisSlider
        self.view = PlaneView()
        self.channels = ChannelRows()
        self.play_z = self._film_action("Play through &z", "Ctrl+Shift+Z", lambda: self._play(self.z))
        self.play_t = self._film_action("Play through &time", "Ctrl+Shift+T", lambda: self._play(self.t))
        self.whole = make_action(
            self,
            "Show &whole picture",
            self.view.fit,
            shortcut="Ctrl+Alt+0",
            tip="Fit the picture",
            image="fit-to-screen",
        )
        self.z = AxisSlider("z plane", self.play_z)
        self.t = AxisSlider("time point", self.play_t)
        self._place = faint_label()
        self._place.setObjectName("frameInfo")
        self._cursor = QLabel()
        self._cursor.setObjectName("cursorInfo")
        self._timer = QTimer(self)
        self._timer.setInterval(FILM_MS)
        self._timer.timeout.connect(self._next_of_film)
        self._column = QScrollArea()
        self._put_together()
        self._connect()
        self.set_run(None)

    def menu_actions(self) -> list[QAction]:
        """Return what a person can do here."""
        return [self.play_z, self.play_t, self.whole]

    @property
    def picture(self) -> Picture | None:
        """What is shown."""
        return self._picture

    def set_run(self, viewing: Viewing | None) -> None:
        """Show another run; an image comes with `show_image`."""
        self._stop_film()
        self._viewing, self._image, self._picture = viewing, None, None
        self.view.show_picture(None, NOTHING if viewing is None else "No frame is stored yet.")
        self._place.setText("")
        self._column.setVisible(viewing is not None)
        if viewing is not None:
            layout = viewing.run.layout
            self.channels.set_channels(layout.channels, layout.significant_bits)
            self.view.set_scale(layout.shape_px, layout.pixel_size_um)

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
        self.play_z.setEnabled(image.size_z > 1)
        self.play_t.setEnabled(image.size_t > 1)
        self.reload()

    def reload(self) -> None:
        """Ask for the picture of what is chosen now."""
        viewing, image = self._viewing, self._image
        if viewing is None or image is None:
            return
        level = min(self.view.level, viewing.run.levels - 1)
        limits = self.channels.chosen_limits
        request = ViewRequest(image, self.t.index, self.z.index, self.channels.shown, level, limits)
        self._manager.submit(
            "read a plane",
            lambda: (viewing, viewing.show(request)),
            timeout_ms=_LIMIT_MS,
            on_complete=self._on_picture,
            on_error=self._on_error,
            coalesce_key="read a plane",
        )

    def export(self, path: Path) -> Callable[[], Path]:
        """Return what writes the view as it is now, with its scale bar, as PNG; for a task."""
        image = self.view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)

        def write() -> Path:
            if not image.save(str(path), "PNG"):
                raise StorageError(f"{path} could not be written")
            return path

        return write

    # --- what comes -------------------------------------------------------------------------------------------------

    def _on_picture(self, result: WorkerResult) -> None:
        viewing: Viewing
        picture: Picture
        viewing, picture = result.value
        if viewing is not self._viewing:
            return
        self._picture = picture
        names = [channel.name for channel in viewing.run.layout.channels]
        absent = [f"{names[c]}: {why}" for c, why in picture.absences.items()]
        if not picture.request.channels:
            absent = ["no channel is chosen"]
        self.view.show_picture(picture.rgb, "\n".join(absent))
        for c, limits in picture.limits.items():
            if c not in self.channels.chosen_limits:
                self.channels.set_limits(c, limits)
        for c, plane in picture.planes.items():
            self.channels.show_histogram(c, plane)
        self._place.setText(self._describe(picture))
        self.picture_shown.emit()

    def _on_error(self, result: WorkerResult) -> None:
        self._stop_film()
        self.view.show_picture(None, in_words(result.error))

    def _describe(self, picture: Picture) -> str:
        image, frame = picture.request.image, picture.frame
        if frame is None:
            return f"{image.name}: no frame here"
        when = datetime.fromtimestamp(frame.utc_s).strftime("%Y-%m-%d %H:%M:%S")
        x_um, y_um, z_um = frame.actual
        again = f", {frame.attempts} exposures" if frame.attempts > 1 else ""
        return (
            f"{image.name}   x {x_um / 1000:.3f} mm, y {y_um / 1000:.3f} mm, z {z_um:.2f} µm "
            f"(planned {frame.target.z_um:.2f})   {frame.exposure_ms:g} ms{again}   {when}"
        )

    def _show_cursor(self, place: tuple[int, int] | None) -> None:
        picture, viewing = self._picture, self._viewing
        if place is None or picture is None or viewing is None or not picture.planes:
            self._cursor.setText("")
            return
        names = [channel.name for channel in viewing.run.layout.channels]
        values = []
        for c, plane in picture.planes.items():
            row, column = (
                min(each >> picture.request.level, size - 1) for each, size in zip(place, plane.shape, strict=True)
            )
            values.append(f"{names[c]} {plane[row, column]}")
        self._cursor.setText(f"x {place[1]} px, y {place[0]} px:  {'   '.join(values)}")

    def _on_auto(self, c: int) -> None:
        if self._picture is not None and self._viewing is not None and c in self._picture.planes:
            bits = self._viewing.run.layout.significant_bits
            self.channels.set_limits(c, auto_limits(self._picture.planes[c], bits))
            self.reload()

    def _on_zoom(self) -> None:
        """Ask for another level of the pyramid, if it suits better than the one shown."""
        if self._picture is not None and self._viewing is not None:
            level = min(self.view.level, self._viewing.run.levels - 1)
            if level != self._picture.request.level:
                self.reload()

    # --- films ------------------------------------------------------------------------------------------------------

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Stop a film that nobody sees."""
        self._stop_film()

    def _film_action(self, text: str, shortcut: str, on_triggered: object) -> QAction:
        action = make_action(self, text, on_triggered, shortcut=shortcut, tip="Show one after the other", image="play")  # type: ignore[arg-type]
        action.setCheckable(True)
        return action

    def _play(self, axis: AxisSlider) -> None:
        action, other = (self.play_z, self.play_t) if axis is self.z else (self.play_t, self.play_z)
        other.setChecked(False)
        self._film = axis if action.isChecked() and axis.count > 1 else None
        if self._film is None:
            self._stop_film()
        else:
            self._timer.start()

    def _stop_film(self) -> None:
        self._film = None
        self._timer.stop()
        self.play_z.setChecked(False)
        self.play_t.setChecked(False)

    def _next_of_film(self) -> None:
        """Go on once the picture before has come: a slow disk makes a slow film, not a jumping one."""
        picture = self._picture
        if self._film is None or picture is None:
            return
        if (picture.request.t, picture.request.z) == (self.t.index, self.z.index):
            self._film.step()

    # --- made once --------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.z.value_changed.connect(self.reload)
        self.t.value_changed.connect(self.reload)
        self.channels.changed.connect(self.reload)
        self.channels.auto_asked.connect(self._on_auto)
        self.view.hovered.connect(self._show_cursor)
        self.view.zoomed.connect(self._on_zoom)

    def _put_together(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(theme.GAP_PX // 2)
        left.addWidget(self.view, 1)
        left.addWidget(self._place)
        left.addWidget(self._cursor)
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
