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
from PyQt5.QtWidgets import QAction, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from control.core.contrast import Contrast
from control.core.session import Session
from control.core.words import in_words
from control.gui import theme
from control.gui.camera_panel import CameraPanel
from control.gui.focus_wheel_dialog import FocusSteps, FocusWheelDialog
from control.gui.image_tools import Tool
from control.gui.image_view import Pace
from control.gui.live_image import LiveImage
from control.gui.live_panel import LivePanel
from control.gui.parts import Section, make_action, submenu
from control.gui.snaps import Snaps
from control.gui.stage_panel import StagePanel
from control.gui.work_bar import WorkBar
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
    contrast : Contrast
        Of the channels, shared with other pages.
    """

    def __init__(self, session: Session, contrast: Contrast) -> None:
        super().__init__()
        self.setObjectName("lookPage")
        self._session = session
        self._live = session.live
        self.contrast = contrast
        self.focus_steps = FocusSteps()
        microscope = session.microscope
        self.image = LiveImage(contrast, microscope.config.camera.orientation, microscope.camera.sensor_shape_px)
        self.view, self.tools = self.image.view, self.image.tools
        self.work = WorkBar(is_narrow=True)
        self.snaps = Snaps(session.live, session.manager, self.work, self)
        self.live_panel = LivePanel(session.live, session.presets)
        self.camera_panel = CameraPanel(session.live)
        self.stage_panel = StagePanel(session.manual, session.monitor)
        self._make_actions()
        self._lay_out()
        self._connect()
        self._show_timer = self._timer(_SHOW_MS, self.show_newest)
        self._status_timer = self._timer(_STATUS_MS, self.show_status)

    # --- making -----------------------------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        self.contrast_actions = self.image.control.make_actions()
        self.folder_action = make_action(
            self,
            "Folder for s&naps…",
            self.snaps.choose_folder,
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
        contrast = Section("Contrast")
        contrast.body.addWidget(self.image.control)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP_PX, theme.GAP_PX // 2, 0, theme.GAP_PX // 2)
        layout.addWidget(self.image, 1)
        layout.addWidget(_column("lookColumn", self.live_panel, self.work, contrast))
        layout.addWidget(_column("stageColumn", self.stage_panel, self.camera_panel))

    def _connect(self) -> None:
        self.view.centre_requested.connect(self._centre)
        self.view.focus_requested.connect(self._focus)
        self.view.rectangle_drawn.connect(self._part_drawn)
        self.camera_panel.draw_requested.connect(self._draw_part)
        self.live_panel.preset_saved.connect(self._preset_saved)
        self.live_panel.snap_requested.connect(self.snaps.snap)
        self.live_panel.snap_to_file_requested.connect(self.snaps.snap_to_file)
        self.snaps.busy_changed.connect(self.live_panel.set_snapping)
        self.snaps.said.connect(self._say)

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
        parts = [
            submenu(self, "C&ontrast", self.contrast_actions),
            submenu(self, "C&amera", self.camera_panel.actions_of_camera),
        ]
        return [*own, *parts, self.wheel_action, *self.stage_panel.menu_actions()]

    def set_plate(self, plate: PlateGeometry | None) -> None:
        """Draw the walls of this plate's wells over the image, and name wells in files; None: no plate."""
        self.snaps.plate = plate
        self.image.set_plate(plate)

    def remember(self) -> dict[str, Any]:
        """Return what is to be remembered, as JSON values."""
        steps = self.focus_steps
        return {
            "snap_folder": str(self.snaps.folder) if self.snaps.folder else None,
            "focus_um": [steps.plain_um, steps.ctrl_um, steps.shift_um],
            "in_colour": self.tools.colour_action.isChecked(),
            "marks_saturated": self.tools.saturation_action.isChecked(),
            "log": self.image.control.is_log,
        }

    def restore(self, remembered: Mapping[str, Any]) -> None:
        """Take what `remember` gave; what is missing or makes no sense is left as it is."""
        match remembered.get("snap_folder"):
            case str(folder):
                self.snaps.folder = Path(folder)
        match remembered.get("focus_um"):
            case [float(plain_um), float(ctrl_um), float(shift_um)]:
                self.focus_steps = FocusSteps(plain_um, ctrl_um, shift_um)
        self.tools.colour_action.setChecked(remembered.get("in_colour") is True)
        self.tools.saturation_action.setChecked(remembered.get("marks_saturated") is True)
        self.image.control.set_log(remembered.get("log") is True)
        self.image.refresh()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Begin to look."""
        super().showEvent(event)
        self.image.refresh()
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
        frame, shown = self._live.newest(), self.image.frame
        if frame is not None and (shown is None or frame.number != shown.number):
            self.image.show_frame(frame)

    def show_status(self) -> None:
        """Show settings, rate and camera; from a timer."""
        state = self._session.monitor.newest
        if state is not None:
            self.live_panel.set_objective(state.objective)
        label = self._session.microscope.config.label_of(Role.CAMERA)
        self.live_panel.set_owner(None if state is None or state.is_free_for_hands else state.owner)
        self.live_panel.refresh()
        if self.image.frame is None:
            self.view.set_message("Waiting for the first image …" if self._live.is_running else _NO_IMAGE)
        self.camera_panel.refresh(state.devices.get(label or "", {}) if state is not None else {})

    # --- what a person does -----------------------------------------------------------------------------------------

    def _say(self, text: str, is_bad: bool) -> None:
        """Show a line above the image."""
        self.tools.say(text, is_bad=is_bad)

    def _failed(self, result: WorkerResult) -> None:
        self._say(in_words(result.error), is_bad=True)

    def choose_focus_steps(self) -> None:
        """Ask how far a notch of the wheel moves the focus."""
        dialog = FocusWheelDialog(self.focus_steps, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._take_steps(dialog.steps()))
        dialog.open()

    def _take_steps(self, steps: FocusSteps) -> None:
        self.focus_steps = steps

    def _centre(self, row_px: float, column_px: float) -> None:
        if self.image.frame is not None:
            self._session.manual.centre_on(self.image.frame, row_px, column_px, on_error=self._failed)

    def _focus(self, notches: int, pace: Pace) -> None:
        self._session.manual.move_by(dz_um=notches * self.focus_steps.of(pace), on_error=self._failed)

    def _preset_saved(self, channel: str) -> None:
        self._session.use_presets()
        self._say(f"{channel} is kept as a preset", is_bad=False)

    def _draw_part(self) -> None:
        if self.image.frame is not None:
            self.view.set_tool(Tool.RECTANGLE)

    def _part_drawn(self, points: list[tuple[float, float]]) -> None:
        frame = self.image.frame
        if frame is None:
            return
        (left, right), (top, bottom) = (sorted(round(v) for v in axis) for axis in zip(*points, strict=True))
        try:
            self._live.show_part(frame, Roi(left, top, max(1, right - left), max(1, bottom - top)))
        except SquidError as refusal:
            self.camera_panel.refuse(in_words(refusal))
            return
        self._say("", is_bad=False)
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
