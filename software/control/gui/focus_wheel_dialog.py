"""How far one notch of the wheel moves the focus, and the dialog that asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt5.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QWidget

from control.gui.image_view import Pace
from control.gui.parts import NumberEdit


@dataclass(frozen=True, slots=True)
class FocusSteps:
    """How far one notch of the wheel moves the focus, in µm: alone, with Ctrl, with Shift."""

    plain_um: float = 5.0
    ctrl_um: float = 1.0
    shift_um: float = 40.0

    def of(self, pace: Pace) -> float:
        """Return the distance in µm."""
        return {Pace.PLAIN: self.plain_um, Pace.FINE: self.ctrl_um, Pace.COARSE: self.shift_um}[pace]


class FocusWheelDialog(QDialog):
    """Three distances, in µm.

    Parameters
    ----------
    steps : FocusSteps
        As they are.
    parent : QWidget, optional
        Over which it appears.
    """

    def __init__(self, steps: FocusSteps, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Focus wheel")
        values = {"Wheel": steps.plain_um, "Ctrl and wheel": steps.ctrl_um, "Shift and wheel": steps.shift_um}
        self.edits = [NumberEdit("µm", 0.1, 200.0, um, tip="z per notch of the wheel") for um in values.values()]
        form = QFormLayout(self)
        for label, edit in zip(values, self.edits, strict=True):
            form.addRow(label, edit)
        buttons = QDialogButtonBox()
        buttons.addButton(QDialogButtonBox.StandardButton.Ok)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)

    def steps(self) -> FocusSteps:
        """Return what was typed."""
        return FocusSteps(*(edit.value() for edit in self.edits))
