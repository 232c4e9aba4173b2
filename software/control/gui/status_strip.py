"""The line at the bottom: microscope, what it does, where it is, which light is on, what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PyQt5.QtWidgets import QLabel, QStatusBar

from control.gui import theme
from control.gui.tint import restyle


class StatusStrip(QStatusBar):
    """Shows snapshots; asks nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("statusStrip")
        self.setSizeGripEnabled(False)
        self.machine, self.state = _part("machineName", "Microscope"), _part("machineState", "What it does now")
        self.position, self.objective = (
            _part("position", "Stage position in µm"),
            _part("objective", "Objective in use"),
        )
        self.light = _part("lightState", "Light sources that are on now")
        self.trouble = _part("trouble", "What is wrong")
        self.trouble.setStyleSheet(f"color: {theme.WAITING};")
        for label in (self.machine, self.state):
            self.addWidget(label)
        self.addWidget(self.trouble, 1)
        for label in (self.position, self.objective, self.light):
            self.addPermanentWidget(label)

    def show_rig(self, rig: Any, lights: Sequence[str]) -> None:
        """Show a `RigState`, and the light sources that count as on."""
        where = rig.position
        if where is not None:
            self.position.setText(f"x {where.x_um:.1f}   y {where.y_um:.1f}   z {where.z_um:.2f} µm")
        self.objective.setText(str(rig.objective or ""))
        _set(self.trouble, rig.trouble or ("" if rig.is_homed else "The stage is not homed"))
        self.show_light(lights)

    def show_light(self, lights: Sequence[str]) -> None:
        """Show the sources that are on."""
        on = ", ".join(lights)
        if _set(self.light, f"light: {on}" if on else "dark"):
            restyle(
                self.light,
                f"background: {theme.WAITING}; color: {theme.BACKGROUND}; font-weight: 600; padding: 0 6px;"
                if on
                else f"color: {theme.FAINT}; padding: 0 6px;",
            )

    def show_state(self, text: str, colour: str = theme.TEXT) -> None:
        """Say what the microscope does."""
        if _set(self.state, text):
            restyle(self.state, f"color: {colour}; font-weight: 600;")


def _part(name: str, tip: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setToolTip(tip)
    label.setContentsMargins(6, 0, 6, 0)
    return label


def _set(label: QLabel, text: str) -> bool:
    if label.text() == text:
        return False
    label.setText(text)
    return True
