"""The page "Look": the live image with its tools, and beside it the controls of light, camera, contrast and stage.

The page pulls: a timer takes the newest frame and tells live view that somebody is looking (`Live.tick`). A hidden or
minimised page does neither, so the light goes off.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import (
    QAction,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from control.core.live import LiveFrame
from control.core.session import Session
from control.core.words import in_words
from control.gui import theme
from control.gui.camera_panel import CameraPanel
from control.gui.contrast import Contrast
from control.gui.focus_wheel_dialog import FocusWheelDialog
from control.gui.histogram import HistogramPanel
from control.gui.image_render import GREY_COLOUR
from control.gui.image_view import FocusSteps, ImageView, Tool
from control.gui.line_profile import LineProfile
from control.gui.live_panel import LivePanel
from control.gui.live_placement import placement_of, snap_name, well_outlines
from control.gui.look_tools import LookTools
from control.gui.parts import make_action
from control.gui.stage_panel import StagePanel
from squid.errors import SquidError
from squid.machine_file import Role
from squid.models.geometry import Roi
from squid.models.plate import PlateGeometry
from squid.utils.worker_manager import WorkerResult

_SHOW_MS = 16
"""A camera's frames come when they like: asking at the screen's rate shows 30 of 30 per second."""

_STATUS_MS = 100
_NO_IMAGE = "No image yet.\nStart live (F2) or snap (F3)."
_COLUMN_PX = 364
"""Two of them leave a square for the image in a window of 1366 x 768."""


class LookPage(QWidget):
    """Looks through the microscope.

    Parameters
    ----------
    session : Session
        Open.
    contrast : Contrast, optional
        Shared with other pages; None: the page's own.
    """

    def __init__(self, session: Session, contrast: Contrast | None = None) -> None:
        super().__init__()
        self.setObjectName("lookPage")
        self._session = session
        self._live = session.live
        self.contrast = contrast or Contrast(self)
        self.snap_folder: Path | None = None
        self._plate: PlateGeometry | None = None
        self._frame: LiveFrame | None = None
        self.view = ImageView(FocusSteps())
        self.view.empty_text = _NO_IMAGE
        self.profile = LineProfile()
        self.profile.hide()
        self.tools = LookTools(self.view)
        self.live_panel = LivePanel(session.live, session.presets)
        self.camera_panel = CameraPanel(session.live)
        self.histogram = HistogramPanel(self.contrast)
        self.stage_panel = StagePanel(session.manual, session.monitor)
        self._make_actions()
        self._lay_out()
        self._connect()
        self._show_timer = self._timer(_SHOW_MS, self.show_newest)
        self._status_timer = self._timer(_STATUS_MS, self.show_status)

    # --- making -----------------------------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        self.folder_action = make_action(
            self,
            "Folder for s&naps…",
            self.choose_folder,
            tip="Choose where F4 stores",
            image="folder-outline",
            shortcut="Ctrl+Shift+F",
        )
        self.wheel_action = make_action(
            self,
            "Focus &wheel…",
            self.choose_focus_steps,
            tip="How far a notch of the wheel moves the focus",
            image="mouse",
            shortcut="Ctrl+Shift+W",
        )

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(theme.GAP_PX // 2)
        left.addWidget(self.tools)
        left.addWidget(self.view, 1)
        left.addWidget(self.profile)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, theme.GAP_PX // 2, 0, theme.GAP_PX // 2)
        layout.addLayout(left, 1)
        layout.addWidget(_column("lookColumn", self.live_panel, self.histogram))
        layout.addWidget(_column("stageColumn", self.stage_panel, self.camera_panel))

    def _connect(self) -> None:
        self.view.centre_requested.connect(self._centre)
        self.view.focus_requested.connect(self._focus)
        self.view.line_drawn.connect(self._line_drawn)
        self.view.rectangle_drawn.connect(self._part_drawn)
        self.tools.switched.connect(self._switched)
        self.contrast.changed.connect(self._set_tone)
        self.camera_panel.draw_requested.connect(self._draw_part)
        self.live_panel.preset_saved.connect(self._preset_saved)
        self.live_panel.snap_requested.connect(self.snap)
        self.live_panel.snap_to_file_requested.connect(self.snap_to_file)

    def _timer(self, interval_ms: int, on_timeout: Any) -> QTimer:
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.setInterval(interval_ms)
        timer.timeout.connect(on_timeout)
        return timer

    # --- for the window ---------------------------------------------------------------------------------------------

    def menu_actions(self) -> list[QAction | None]:
        """Return the actions in menu order; None separates."""
        own = [*self.live_panel.menu_actions(), self.folder_action, None, *self.tools.menu_actions(), None]
        return [*own, self.wheel_action, *self.stage_panel.menu_actions()]

    def set_plate(self, plate: PlateGeometry | None) -> None:
        """Draw the walls of this plate's wells over the image, and name wells in files; None: no plate."""
        self._plate = plate
        self._show_outlines()

    def remember(self) -> dict[str, Any]:
        """Return what is to be remembered, as JSON values."""
        steps = self.view.focus_steps or FocusSteps()
        return {
            "snap_folder": str(self.snap_folder) if self.snap_folder else None,
            "contrast": self.contrast.remember(),
            "focus_um": [steps.plain_um, steps.ctrl_um, steps.shift_um],
            "in_colour": self.tools.colour_action.isChecked(),
            "marks_saturated": self.tools.saturation_action.isChecked(),
            "log": self.histogram.log.isChecked(),
        }

    def restore(self, remembered: Mapping[str, Any]) -> None:
        """Take what `remember` gave; what is missing or makes no sense is left as it is."""
        match remembered.get("snap_folder"):
            case str(folder):
                self.snap_folder = Path(folder)
        match remembered.get("contrast"):
            case dict(channels):
                self.contrast.restore(channels)
        match remembered.get("focus_um"):
            case [float(plain_um), float(ctrl_um), float(shift_um)]:
                self.view.focus_steps = FocusSteps(plain_um, ctrl_um, shift_um)
        self.tools.colour_action.setChecked(remembered.get("in_colour") is True)
        self.tools.saturation_action.setChecked(remembered.get("marks_saturated") is True)
        self.histogram.log.setChecked(remembered.get("log") is True)
        self._switched()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Begin to look."""
        super().showEvent(event)
        self.show_status()
        self._show_timer.start()
        self._status_timer.start()
        self.view.setFocus()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Look no more: without ticks the light goes off."""
        super().hideEvent(event)
        self._show_timer.stop()
        self._status_timer.stop()

    # --- frames -----------------------------------------------------------------------------------------------------

    def show_newest(self) -> None:
        """Show the newest frame, if it is another one; from a timer."""
        window = self.window()
        if window is not None and window.isMinimized():
            return
        self._live.tick()
        frame = self._live.newest()
        if frame is not None and (self._frame is None or frame.number != self._frame.number):
            self._show(frame)

    def _show(self, frame: LiveFrame) -> None:
        moved = self._frame is None or frame.position != self._frame.position or frame.view != self._frame.view
        self._frame = frame
        microscope = self._session.microscope
        orientation, sensor_px = microscope.config.camera.orientation, microscope.camera.sensor_shape_px
        self.view.show_image(frame.pixels, frame.significant_bits, placement_of(frame, orientation, sensor_px))
        self.histogram.show_frame(frame.channel, frame.pixels, frame.significant_bits, frame.colour)
        self._set_tone(frame.channel)
        if self.profile.isVisible():
            self.profile.show_image(frame.pixels, frame.pixel_size_um)
        if moved:
            self._show_outlines()

    def _set_tone(self, channel: str) -> None:
        frame = self._frame
        if frame is not None and frame.channel == channel:
            chosen = self.contrast.of(channel, frame.significant_bits)
            colour = frame.colour if self.tools.colour_action.isChecked() else GREY_COLOUR
            self.view.set_tone(chosen.black, chosen.white, colour)

    def _show_outlines(self) -> None:
        frame = self._frame
        if frame is None or self._plate is None:
            self.view.set_outlines(())
            return
        microscope = self._session.microscope
        place = placement_of(frame, microscope.config.camera.orientation, microscope.camera.sensor_shape_px)
        height, width = frame.pixels.shape
        self.view.set_outlines(well_outlines(self._plate, place, (height, width)))

    def show_status(self) -> None:
        """Show settings, rate and camera; from a timer."""
        state = self._session.monitor.newest
        if state is not None:
            self.live_panel.set_objective(state.objective)
        label = self._session.microscope.config.label_of(Role.CAMERA)
        self.live_panel.set_owner(None if state is None or state.is_free_for_hands else state.owner)
        self.live_panel.refresh()
        if self._frame is None:
            self.view.empty_text = "Waiting for the first image …" if self._live.is_running else _NO_IMAGE
            self.view.update()
        self.camera_panel.refresh(state.devices.get(label or "", {}) if state is not None else {})

    # --- what a person does -----------------------------------------------------------------------------------------

    def snap(self) -> None:
        """Take one image and show it."""
        self._start("snap", self._live.snap)

    def snap_to_file(self) -> None:
        """Take one image, show it, and store it; asks for a folder the first time."""
        if self.snap_folder is None:
            self.choose_folder()
        folder, plate, live = self.snap_folder, self._plate, self._live
        if folder is None:
            return

        def snap_and_store() -> Path:
            frame = live.snap()
            path = folder / snap_name(frame, plate)
            live.save_snap(frame, path)
            return path

        self._start("snap to file", snap_and_store)

    def _start(self, name: str, task: Any) -> None:
        self.live_panel.set_snapping(True)
        try:
            self._session.manager.submit(name, task, on_complete=self._snapped, on_error=self._failed)
        except SquidError as refusal:
            self.live_panel.set_snapping(False)
            self.say(in_words(refusal), is_bad=True)

    def _snapped(self, result: WorkerResult) -> None:
        self.live_panel.set_snapping(False)
        self.say(f"Stored {result.value}" if isinstance(result.value, Path) else "")

    def _failed(self, result: WorkerResult) -> None:
        self.live_panel.set_snapping(False)
        self.say(in_words(result.error), is_bad=True)

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Show a line above the image."""
        self.tools.say(text, is_bad=is_bad)

    def choose_folder(self) -> None:
        """Ask where snaps are stored."""
        start = str(self.snap_folder or Path.home())
        chosen = QFileDialog.getExistingDirectory(self, "Folder for snaps", start)
        if chosen:
            self.snap_folder = Path(chosen)

    def choose_focus_steps(self) -> None:
        """Ask how far a notch of the wheel moves the focus."""
        dialog = FocusWheelDialog(self.view.focus_steps or FocusSteps(), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._take_steps(dialog.steps()))
        dialog.open()

    def _take_steps(self, steps: FocusSteps) -> None:
        self.view.focus_steps = steps

    def _centre(self, row_px: float, column_px: float) -> None:
        if self._frame is not None:
            self._session.manual.centre_on(self._frame, row_px, column_px, on_error=self._failed)

    def _focus(self, dz_um: float) -> None:
        self._session.manual.move_by(dz_um=dz_um, on_error=self._failed)

    def _preset_saved(self, channel: str) -> None:
        self._session.use_presets()
        self.say(f"{channel} is kept as a preset")

    # --- tools ------------------------------------------------------------------------------------------------------

    def _switched(self) -> None:
        """One of the switches was pressed: show what they say."""
        self.view.mark_saturated(self.tools.saturation_action.isChecked())
        self.view.show_cross(self.tools.cross_action.isChecked())
        wants_line = self.tools.line_action.isChecked()
        if wants_line != self.profile.isVisibleTo(self):
            self.profile.setVisible(wants_line)
            self.profile.set_line(None)
        if self._frame is not None:
            self._set_tone(self._frame.channel)

    def _line_drawn(self, points: list[tuple[float, float]]) -> None:
        self.profile.set_line((points[0], points[1]))
        if self._frame is not None:
            self.profile.show_image(self._frame.pixels, self._frame.pixel_size_um)

    def _draw_part(self) -> None:
        if self._frame is not None:
            self.view.set_tool(Tool.RECTANGLE)

    def _part_drawn(self, points: list[tuple[float, float]]) -> None:
        if self._frame is None:
            return
        (left, right), (top, bottom) = (sorted(round(v) for v in axis) for axis in zip(*points, strict=True))
        try:
            self._live.show_part(self._frame, Roi(left, top, max(1, right - left), max(1, bottom - top)))
        except SquidError as refusal:
            self.camera_panel.refuse(in_words(refusal))
            return
        self.say("")
        self.show_status()


def _column(name: str, *panels: QWidget) -> QScrollArea:
    """Return panels one below the other that scroll when the window is low."""
    inside = QWidget()
    layout = QVBoxLayout(inside)
    layout.setContentsMargins(theme.GAP_PX, 0, theme.GAP_PX, 0)
    for panel in panels:
        layout.addWidget(panel)
    layout.addStretch(1)
    area = QScrollArea()
    area.setObjectName(name)
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFixedWidth(_COLUMN_PX)
    return area
