"""The stage by hand: where it is, steps, go-to, home, loading position, objective, keys.

Shows `Monitor.newest`, asks `Manual`; a run that has the microscope, or a device that does not answer, is named here.
Its keys move something only while it is shown: elsewhere the same keys scroll lists and texts.
"""

from __future__ import annotations

import time

from PyQt5.QtCore import QSignalBlocker, QSize, Qt, QTimer
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import (
    QAction,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from control.core.manual import Manual
from control.core.monitor import Monitor, RigState
from control.gui import theme
from control.gui.lengths import LengthBox
from control.gui.parts import Section, button_for, faint_label, make_action, submenu
from control.gui.stage_axes import StageAxes
from squid.utils.task import WorkerResult

_REFRESH_MS = 100
_STALE_S = 3.0
_NOTE_S = 2.0
"""So long is a step that was left out told."""

_XY_STEPS_UM = (1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 4500.0, 9000.0)
_Z_STEPS_UM = (0.1, 0.5, 1.0, 5.0, 10.0, 50.0, 100.0)
_FACTORS = {"": 1.0, "Shift+": 10.0, "Ctrl+": 0.1}
_DIRECTIONS = (
    # name, text, icon, key, (dx, dy, dz) in steps, row and column of the button
    ("up", "Up (y −)", "arrow-up-bold", "Alt+Up", (0, -1, 0), (0, 1)),
    ("left", "Left (x −)", "arrow-left-bold", "Alt+Left", (-1, 0, 0), (1, 0)),
    ("right", "Right (x +)", "arrow-right-bold", "Alt+Right", (1, 0, 0), (1, 2)),
    ("down", "Down (y +)", "arrow-down-bold", "Alt+Down", (0, 1, 0), (2, 1)),
    ("zUp", "Focus up (z +)", "chevron-up", "PgUp", (0, 0, 1), (0, 4)),
    ("zDown", "Focus down (z −)", "chevron-down", "PgDown", (0, 0, -1), (2, 4)),
)


class StagePanel(QWidget):
    """Moves the stage.

    Parameters
    ----------
    manual : Manual
        Carries out what is asked.
    monitor : Monitor
        Knows where the stage is and who has it.
    """

    def __init__(self, manual: Manual, monitor: Monitor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._manual = manual
        self._monitor = monitor
        self.section = Section("Stage")
        self.reason = QLabel()
        self.reason.setObjectName("stageReason")
        self.reason.setProperty("role", "note")
        self.reason.setWordWrap(True)
        self.reason.hide()
        self.axes = StageAxes(manual.limits, self._go_to)
        self.xy_step = LengthBox(
            _XY_STEPS_UM, 100.0, low_um=0.1, high_um=50000.0, tip="step of x and y: type a length, such as 0.25 mm"
        )
        self.xy_step.setObjectName("xyStep")
        self.z_step = LengthBox(_Z_STEPS_UM, 5.0, low_um=0.01, high_um=1000.0, tip="step of z: type a length")
        self.z_step.setObjectName("zStep")
        self._left_out = manual.steps_left_out
        self._left_out_s = -_NOTE_S
        self._steps = [self._step_action(*direction[:5], factor) for direction in _DIRECTIONS for factor in _FACTORS]
        self._places = self._place_actions()
        self.stop_action = make_action(
            self, "&Stop", self._stop, shortcut="Alt+End", tip="Stop the stage now", image="hand-back-right"
        )
        self._objectives = self._objective_box()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)

    # --- what it is made of -----------------------------------------------------------------------------------------

    def _step_action(
        self, name: str, text: str, image: str, key: str, way: tuple[int, int, int], factor: str
    ) -> QAction:
        times = _FACTORS[factor]
        size = {1.0: "one step", 10.0: "ten steps", 0.1: "a tenth of a step"}[times]
        action = make_action(
            self,
            text if times == 1 else f"{text}, {size}",
            lambda: self._step(way, times),
            shortcut=factor + key,
            tip=f"{text}: {size} (with Shift ten, with Ctrl a tenth)",
            image=image,
        )
        action.setObjectName(name if times == 1 else "")
        return action

    def _place_actions(self) -> list[QAction]:
        home = make_action(
            self,
            "&Home…",
            self._ask_home,
            shortcut="Ctrl+Home",
            tip="Find the reference of every axis, z first",
            image="home-outline",
        )
        load = make_action(
            self,
            "&Load",
            lambda: self._manual.go_to_loading_position(on_error=self._failed),
            shortcut="Ctrl+End",
            tip="Retract z, then go to where plates are put on",
            image="tray-arrow-up",
        )
        home.setObjectName("home")
        load.setObjectName("load")
        return [home, load]

    def _objective_box(self) -> QComboBox:
        box = QComboBox()
        box.setObjectName("objective")
        box.addItems(self._manual.objectives)
        box.setToolTip("Objective in the beam")
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.activated.connect(self._change_objective)
        return box

    def _lay_out(self) -> None:
        body = self.section.body
        body.addWidget(self.reason)
        body.addWidget(self.axes)
        body.addLayout(self._cross())
        objective = QHBoxLayout()
        objective.addWidget(QLabel("Objective"))
        objective.addWidget(self._objectives, 1)
        body.addLayout(objective)
        places = QHBoxLayout()
        for action in (*self._places, self.stop_action):
            button = button_for(action)
            button.setObjectName(f"{action.objectName() or 'stop'}Button")
            places.addWidget(button)
        body.addLayout(places)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.section)
        layout.addStretch(1)

    def _cross(self) -> QGridLayout:
        """Lay out the steps: a cross for x and y, a column for z, the size of a step in their middle."""
        grid = QGridLayout()
        grid.setSpacing(theme.GAP_PX // 2)
        for number, (name, *_, (row, column)) in enumerate(_DIRECTIONS):
            button = QToolButton()
            button.setDefaultAction(self._steps[number * len(_FACTORS)])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setAutoRepeat(True)
            button.setAutoRepeatDelay(400)
            button.setFixedSize(48, 32)
            button.setIconSize(QSize(20, 20))
            button.setStyleSheet(f"QToolButton {{ border: 1px solid {theme.LINE}; }}")
            button.setObjectName(f"{name}Button")
            grid.addWidget(button, row, column, Qt.AlignmentFlag.AlignCenter)
        grid.addWidget(self.xy_step, 1, 1)
        grid.addWidget(self.z_step, 1, 4)
        grid.addWidget(faint_label("x, y"), 0, 0, Qt.AlignmentFlag.AlignCenter)
        grid.addWidget(faint_label("z"), 0, 3, Qt.AlignmentFlag.AlignCenter)
        for column in (1, 4):
            grid.setColumnMinimumWidth(column, 96)
        grid.setColumnStretch(3, 1)
        return grid

    def menu_actions(self) -> list[QAction | None]:
        """Return the actions for the menu, in order; None separates."""
        plain = self._steps[:: len(_FACTORS)]
        steps = submenu(self, "Step of the s&tage", [*plain, None, *(s for s in self._steps if s not in plain)])
        return [steps, None, self.axes.go_action, *self._places, None, self.stop_action]

    # --- what a person asks -----------------------------------------------------------------------------------------

    def _step(self, way: tuple[int, int, int], times: float) -> None:
        xy_um, z_um = times * self.xy_step.value_um, times * self.z_step.value_um
        self._accepted()
        self._manual.move_by(way[0] * xy_um, way[1] * xy_um, way[2] * z_um, on_error=self._failed)

    def _go_to(self, targets: dict[str, float]) -> None:
        self._accepted()
        self._manual.move_to(**targets, on_error=self._failed)

    def _ask_home(self) -> None:
        question = (
            "Home the stage?\n\nz retracts first, then x and y go to the ends of their travel. "
            "Make sure that no objective, plate or lid is in the way."
        )
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        answers = QMessageBox.StandardButtons(yes) | no
        if QMessageBox.question(self, "Home the stage", question, answers, no) == yes:
            self._accepted()
            self._manual.home(on_error=self._failed)

    def _change_objective(self, number: int) -> None:
        self._accepted()
        self._manual.set_objective(self._objectives.itemText(number), on_error=self._failed)

    def _stop(self) -> None:
        self._manual.stop()

    def _accepted(self) -> None:
        self.section.refuse()

    def _failed(self, result: WorkerResult) -> None:
        self.section.refuse(str(result.error))

    # --- what it shows ----------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Follow the rig."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Follow nothing that nobody sees."""
        self._timer.stop()
        self._allow(moves=False)
        super().hideEvent(event)

    def refresh(self) -> None:
        """Show the newest state of the rig."""
        state = self._monitor.newest
        self.axes.show_position(state.position if state is not None else None)
        reason, is_free = _reason(state)
        reason = reason or self._note()
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.axes.set_moves_allowed(is_free)
        self._allow(moves=is_free and self.isVisible())
        self.stop_action.setEnabled(is_free)
        self._objectives.setEnabled(is_free and self._objectives.count() > 1)
        if state is not None and not self._objectives.hasFocus() and self._manual.activity is None:
            with QSignalBlocker(self._objectives):
                self._objectives.setCurrentText(state.objective)

    def _allow(self, *, moves: bool) -> None:
        for action in (*self._steps, *self._places):
            action.setEnabled(moves)

    def _note(self) -> str:
        """Say that steps were left out, for a while."""
        if self._manual.steps_left_out != self._left_out:
            self._left_out, self._left_out_s = self._manual.steps_left_out, time.monotonic()
        is_new = time.monotonic() - self._left_out_s < _NOTE_S
        return "Steps come faster than the stage moves: some were left out." if is_new else ""


def _reason(state: RigState | None) -> tuple[str, bool]:
    """Return what a person should know before moving anything, and whether anything may be moved."""
    if state is None:
        return "waiting for the stage …", False
    if not state.is_free_for_hands:
        who = str(state.owner)
        return f"{who[:1].upper()}{who[1:]} has the microscope: the stage cannot be moved by hand.", False
    if state.trouble is not None:
        return state.trouble, True
    age_s = time.monotonic() - state.monotonic_s
    if age_s > _STALE_S:
        return f"The position was read {age_s:.0f} s ago: the program is busy.", True
    if not state.is_homed:
        return "The stage does not know where it is: home it first.", True
    return "", True
