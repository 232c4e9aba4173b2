"""One channel of the Plan page: ticked or not, its exposure, light and z offset; dragged by its handle."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QColor, QIcon, QKeyEvent, QMouseEvent, QPixmap
from PyQt5.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from control.core.planning import ChannelChoice
from control.gui import theme
from control.gui.parts import NumberEdit, icon
from control.gui.plan_section import show_number
from squid.models.channel import ChannelPreset

_CHIP_PX = 12


class Handle(QLabel):
    """What a row is dragged by; the arrow keys move it, too.

    Attributes
    ----------
    dragged : pyqtSignal(int)
        Height of the mouse on the screen, in pixels, while it drags.
    dropped : pyqtSignal()
        The drag has ended.
    stepped : pyqtSignal(int)
        -1: one up; 1: one down.
    """

    dragged = pyqtSignal(int)
    dropped = pyqtSignal()
    stepped = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setPixmap(icon("drag", theme.FAINT).pixmap(16, 16))
        self.setCursor(Qt.CursorShape.SizeVerCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip("Drag to change the order of channels (or press the arrow keys)")

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Begin: the mouse is ours until it is released."""

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Say where the mouse is."""
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(event.globalPos().y())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Say that it is over."""
        self.dropped.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move one up or down."""
        steps = {int(Qt.Key.Key_Up): -1, int(Qt.Key.Key_Down): 1}
        if event is not None and event.key() in steps:
            self.stepped.emit(steps[event.key()])
        else:
            super().keyPressEvent(event)


class ChannelRow(QWidget):
    """One channel.

    Parameters
    ----------
    name : str
        Of the channel.

    Attributes
    ----------
    edited : pyqtSignal(object)
        The new `ChannelChoice`, or None when the channel was unticked.
    """

    edited = pyqtSignal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._preset: ChannelPreset | None = None
        self._choice = ChannelChoice(name)
        self._is_showing = False
        self.handle = Handle()
        self.tick = QCheckBox(name)
        self.tick.setObjectName(f"channel_{name}")
        self.exposure = NumberEdit("ms", 0.01, 600_000, 10, decimals=2, tip="Exposure time")
        self.intensity = NumberEdit("%", 0, 100, 50, tip="Share of the light source's full power")
        self.z_offset = NumberEdit(
            "µm", -1000, 1000, 0, step=0.5, decimals=2, tip="Added to the focus for this channel"
        )
        self.reset = QToolButton()
        self.reset.setIcon(icon("restore"))
        self.reset.setAutoRaise(True)
        self.reset.setToolTip("As in the preset again")
        self.reset.setObjectName(f"reset_{name}")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        for part, edit in (("exposure", self.exposure), ("intensity", self.intensity), ("zOffset", self.z_offset)):
            edit.setObjectName(f"{part}_{self.name}")
        top = QHBoxLayout()
        top.addWidget(self.handle)
        top.addWidget(self.tick, 1)
        top.addWidget(self.reset)
        self.values = QWidget()
        numbers = QHBoxLayout(self.values)
        numbers.setContentsMargins(0, 0, 0, 0)
        numbers.setSpacing(theme.GAP_PX // 2)
        for edit, share in ((self.exposure, 4), (self.intensity, 3), (self.z_offset, 3)):
            edit.setMinimumWidth(60)
            numbers.addWidget(edit, share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.values)

    def _connect(self) -> None:
        self.tick.toggled.connect(lambda on: self._say(ChannelChoice(self.name) if on else None))
        self.exposure.valueChanged.connect(lambda ms: self._set("exposure_ms", ms))
        self.intensity.valueChanged.connect(lambda pct: self._set("intensity", round(pct / 100, 6)))
        self.z_offset.valueChanged.connect(lambda um: self._set("z_offset_um", um))
        self.reset.clicked.connect(lambda: self._say(ChannelChoice(self.name)))

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """What Tab goes through."""
        return self.handle, self.tick, self.reset, self.exposure, self.intensity, self.z_offset

    def show_choice(self, choice: ChannelChoice | None, preset: ChannelPreset | None) -> None:
        """Show a channel: None as choice: not in the plan; None as preset: the objective has no such channel."""
        self._is_showing = True
        self._preset, self._choice = preset, choice or ChannelChoice(self.name)
        self.tick.setChecked(choice is not None)
        self.tick.setIcon(_chip(preset.colour if preset is not None else theme.BAD))
        self.tick.setToolTip(_words(preset))
        self.values.setVisible(choice is not None)
        self.handle.setVisible(choice is not None)
        changed = self._choice != ChannelChoice(self.name)
        self.reset.setVisible(choice is not None and changed)
        if choice is not None:
            show_number(self.exposure, _or(choice.exposure_ms, getattr(preset, "exposure_ms", None)))
            show_number(self.intensity, 100 * _or(choice.intensity, getattr(preset, "intensity", None)))
            show_number(self.z_offset, _or(choice.z_offset_um, getattr(preset, "z_offset_um", None)))
        self._is_showing = False

    def _set(self, name: str, value: float) -> None:
        preset = getattr(self._preset, name, None)
        values = {"exposure_ms": self._choice.exposure_ms, "intensity": self._choice.intensity}
        values["z_offset_um"] = self._choice.z_offset_um
        self._say(ChannelChoice(self.name, **{**values, name: None if value == preset else value}))

    def _say(self, choice: ChannelChoice | None) -> None:
        if not self._is_showing:
            self.edited.emit(choice)


def _or(value: float | None, otherwise: float | None) -> float:
    return value if value is not None else otherwise or 0.0


def _words(preset: ChannelPreset | None) -> str:
    if preset is None:
        return "There is no preset of this name for the objective"
    parts = [f"light: {preset.source}", f"filter: {preset.filter}" if preset.filter else ""]
    return "Take this channel; " + ", ".join(part for part in parts if part)


def _chip(colour: str) -> QIcon:
    """Return a small square of a colour."""
    pixmap = QPixmap(_CHIP_PX, _CHIP_PX)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
