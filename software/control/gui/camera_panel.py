"""The camera's controls: binning, pixel format, the part of the sensor that is read, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QAction,
    QButtonGroup,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from control.core.live import CameraView, Live
from control.core.words import in_words
from control.gui.parts import CountEdit, Section, faint_label, make_action
from squid.abc.camera import PixelFormat
from squid.abc.device import StateValue
from squid.errors import SquidError
from squid.models.geometry import Roi

ROI_STEP_PX = 8
"""Parts that this panel offers begin and end at multiples of this: sensors read in blocks."""

_PARTS = (("Full", 1), ("Half", 2), ("Quarter", 4))


class CameraPanel(Section):
    """Binning, pixel format and ROI; folded until its title is pressed.

    Parameters
    ----------
    live : Live
        Is commanded and read.

    Attributes
    ----------
    draw_requested : pyqtSignal
        A person wants to draw the part on the image.
    """

    draw_requested = pyqtSignal()

    def __init__(self, live: Live) -> None:
        super().__init__("")
        self._live = live
        self._shown: CameraView | None = None
        self.fold = QToolButton()
        self.facts = faint_label()
        self.binning_buttons: dict[int, QPushButton] = {}
        self.format_buttons: dict[PixelFormat, QPushButton] = {}
        self.part_buttons: dict[str, QPushButton] = {}
        self.edits = {name: CountEdit("px", low, 99999, 0, tip=tip) for name, low, tip in _EDITS}
        self.apply = QPushButton("Apply")
        self.content = QWidget()
        self._lay_out()
        self._make_actions()

    def _lay_out(self) -> None:
        self.title.hide()
        self.fold.setObjectName("cameraFold")
        self.fold.setText("Camera")
        self.fold.setToolTip("Show or hide binning, pixel format and ROI")
        self.fold.setCheckable(True)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setStyleSheet("QToolButton { border: none; font-size: 15px; font-weight: 600; }")
        self.fold.toggled.connect(self.set_open)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        form = QFormLayout()
        form.addRow("Binning", self._make_binnings())
        form.addRow("Format", self._make_formats())
        form.addRow("ROI", self._make_parts())
        layout.addLayout(form)
        layout.addLayout(self._make_edits())
        self.facts.setObjectName("cameraFacts")
        self.body.addWidget(self.fold)
        self.body.addWidget(self.content)
        self.body.addWidget(self.facts)
        self.set_open(False)

    def _make_binnings(self) -> QWidget:
        row, layout = _row()
        group = QButtonGroup(self)
        for binning in self._live.camera_choices.binnings:
            button = _choice(
                f"{binning} x {binning}", f"binning{binning}", f"Add {binning} x {binning} sensor pixels to one"
            )
            button.clicked.connect(partial(self._set_binning, binning))
            group.addButton(button)
            layout.addWidget(button)
            self.binning_buttons[binning] = button
        return row

    def _make_formats(self) -> QWidget:
        row, layout = _row()
        group = QButtonGroup(self)
        for pixel_format in self._live.camera_choices.pixel_formats:
            tip = f"{pixel_format.bits} bits: grey values up to {2**pixel_format.bits - 1}"
            button = _choice(f"{pixel_format.bits} bit", f"format_{pixel_format.value}", tip)
            button.clicked.connect(partial(self._set_format, pixel_format))
            group.addButton(button)
            layout.addWidget(button)
            self.format_buttons[pixel_format] = button
        return row

    def _make_parts(self) -> QWidget:
        row, layout = _row()
        for name, divisor in _PARTS:
            tip = "Read the whole sensor" if divisor == 1 else f"Read the middle, 1/{divisor} of each side"
            button = _choice(name, f"roi{name}", tip)
            button.clicked.connect(partial(self._set_part, divisor))
            layout.addWidget(button)
            self.part_buttons[name] = button
        draw = QPushButton("Draw")
        draw.setObjectName("roiDraw")
        draw.setToolTip("Drag a rectangle on the image: only this part is read")
        draw.clicked.connect(lambda: self.draw_requested.emit())
        layout.addWidget(draw)
        return row

    def _make_edits(self) -> QGridLayout:
        grid = QGridLayout()
        for number, (name, edit) in enumerate(self.edits.items()):
            edit.setObjectName(f"roi_{name}")
            edit.setPrefix(f"{name} ")
            grid.addWidget(edit, number // 2, number % 2)
        self.apply.setObjectName("roiApply")
        self.apply.setToolTip("Read this part of the sensor, in binned pixels from its upper left corner")
        self.apply.clicked.connect(self._apply_numbers)
        grid.addWidget(self.apply, 0, 2, 2, 1)
        return grid

    def _make_actions(self) -> None:
        """Give menu and keys what the buttons do; they open the panel first."""

        def action(text: str, call: Callable[[], object], key: str, tip: str, image: str) -> QAction:
            def run() -> None:
                if self.isVisible():  # on another page its key changes nothing
                    self.set_open(True)
                    call()

            return make_action(self, text, run, shortcut=key, tip=tip, image=image)

        draw = self.findChild(QPushButton, "roiDraw")
        assert draw is not None
        self.actions_of_camera = [
            action(
                "Next &binning", lambda: _press_next(self.binning_buttons), "Ctrl+B", "Add more pixels to one", "grid"
            ),
            action(
                "Next pixel &format",
                lambda: _press_next(self.format_buttons),
                "Ctrl+Shift+J",
                "As many bits for a grey value as the camera has",
                "counter",
            ),
            action(
                "&Next ROI", lambda: _press_next(self.part_buttons), "Ctrl+I", "Whole sensor, half, quarter", "crop"
            ),
            action("&Draw a ROI", draw.click, "Ctrl+Shift+I", "Drag a rectangle on the image", "selection-drag"),
            action("&Apply the numbers of the ROI", self.apply.click, "Ctrl+Shift+N", "Read this part", "check"),
        ]

    def set_open(self, is_open: bool) -> None:
        """Show the controls, or only the facts."""
        self.fold.setChecked(is_open)
        self.fold.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.content.setVisible(is_open)

    # --- state ------------------------------------------------------------------------------------------------------

    def refresh(self, state: Mapping[str, StateValue]) -> None:
        """Show binning and ROI of the next frame, and what the camera says of itself; from a timer."""
        view = self._live.camera_view
        if view != self._shown:
            self._shown = view
            if view.binning in self.binning_buttons:
                self.binning_buttons[view.binning].setChecked(True)
            if view.pixel_format in self.format_buttons:
                self.format_buttons[view.pixel_format].setChecked(True)
            for name, divisor in _PARTS:
                self.part_buttons[name].setChecked(view.roi == self._middle(view.binning, divisor))
            roi = view.roi
            for name, value in (("x", roi.x_px), ("y", roi.y_px), ("w", roi.width_px), ("h", roi.height_px)):
                self.edits[name].setValue(value)
        facts = f"{view.roi.width_px} x {view.roi.height_px} px, binning {view.binning} x {view.binning}"
        if view.pixel_format is not None:
            facts += f", {view.pixel_format.bits} bit"
        readout_ms = state.get("readout_ms")
        if isinstance(readout_ms, (int, float)):
            facts += f", read\N{NON-BREAKING HYPHEN}out\N{NO-BREAK SPACE}{readout_ms:.1f}\N{NO-BREAK SPACE}ms"
        if facts != self.facts.text():
            self.facts.setText(facts)

    # --- what a person does -----------------------------------------------------------------------------------------

    def set_roi(self, roi: Roi | None) -> None:
        """Read this part of the sensor, in binned pixels; None: all of it."""
        try:
            self._live.set_camera(binning=self._live.camera_view.binning, roi=roi)
        except SquidError as refusal:
            self.refuse(in_words(refusal))
            return
        self._done()

    def _set_binning(self, binning: int, _is_checked: bool = True) -> None:
        try:
            self._live.set_camera(binning=binning)
        except SquidError as refusal:
            self.refuse(in_words(refusal))
            return
        self._done()

    def _set_format(self, pixel_format: PixelFormat, _is_checked: bool = True) -> None:
        roi = self._live.camera_view.roi
        try:
            self._live.set_camera(roi=roi, pixel_format=pixel_format)
        except SquidError as refusal:
            self.refuse(in_words(refusal))
            return
        self._done()

    def _set_part(self, divisor: int, _is_checked: bool = True) -> None:
        self.set_roi(None if divisor == 1 else self._middle(self._live.camera_view.binning, divisor))

    def _apply_numbers(self) -> None:
        self.set_roi(Roi(*(self.edits[name].value() for name in ("x", "y", "w", "h"))))

    def _done(self) -> None:
        self.refuse()
        self._shown = None
        self.refresh({})

    def _middle(self, binning: int, divisor: int) -> Roi:
        height, width = (side // binning for side in self._live.camera_choices.sensor_shape_px)
        if divisor == 1:
            return Roi(0, 0, width, height)
        x_px, width_px = _middle_of(width, divisor)
        y_px, height_px = _middle_of(height, divisor)
        return Roi(x_px, y_px, width_px, height_px)


_EDITS = (
    ("x", 0, "First column that is read"),
    ("y", 0, "First row that is read"),
    ("w", 1, "Columns that are read"),
    ("h", 1, "Rows that are read"),
)


def _middle_of(size: int, divisor: int) -> tuple[int, int]:
    length = max(ROI_STEP_PX, size // divisor // ROI_STEP_PX * ROI_STEP_PX)
    return (size - length) // 2 // ROI_STEP_PX * ROI_STEP_PX, length


def _row() -> tuple[QWidget, QHBoxLayout]:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    return row, layout


def _press_next(buttons: Mapping[Any, QPushButton]) -> None:
    """Press the button behind the one that is pressed; the first one behind the last."""
    row = list(buttons.values())
    pressed = next((number for number, button in enumerate(row) if button.isChecked()), -1)
    row[(pressed + 1) % len(row)].click()


def _choice(text: str, name: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setCheckable(True)
    return button
