"""The form of one channel preset: light, exposure, filter, offsets, colour; each value with its unit and its range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from control.core.presets import PresetChoices
from control.gui import theme
from control.gui.parts import NumberEdit
from squid.models.channel import ChannelPreset

ANY = PresetChoices((), (), (0.001, 3_600_000.0), (0.0, 1000.0))
"""Where the devices are not known."""

NO_FILTER = "leave the wheel alone"
_LABELS = {
    "source": "Light source",
    "intensity": "Intensity",
    "exposure_ms": "Exposure",
    "filter": "Filter",
    "z_offset_um": "z offset",
    "gain": "Gain",
    "colour": "Colour",
    "excitation_nm": "Excitation",
    "emission_nm": "Emission",
}


class PresetForm(QWidget):
    """One preset for editing.

    Parameters
    ----------
    choices : PresetChoices
        What the devices take.

    Attributes
    ----------
    edited : pyqtSignal()
        A person changed a value.
    """

    edited = pyqtSignal()

    def __init__(self, choices: PresetChoices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_showing = False
        self._preset: ChannelPreset | None = None
        self._shown: dict[str, Any] = {}
        self.source, self.filter = QComboBox(), QComboBox()
        self.source.addItems(choices.sources)
        self.filter.addItems([NO_FILTER, *choices.filters])
        self.intensity = NumberEdit("%", 0, 100, 0, decimals=2, step=5, tip="Share of the source's full power")
        low_ms, high_ms = choices.exposure_range_ms
        self.exposure = NumberEdit("ms", low_ms, high_ms, max(low_ms, 10), decimals=3, step=5, tip="Exposure time")
        self.z_offset = NumberEdit("µm", -1000, 1000, 0, decimals=3, step=0.1, tip="Added to z for this channel")
        low, high = choices.gain_range
        self.gain = NumberEdit("x", low, high, low, decimals=2, step=0.5, tip="Analogue gain of the camera")
        self.sets_gain = QCheckBox("Set by this channel")
        self.sets_gain.setToolTip("Otherwise the camera keeps the gain that it has")
        self.colour = QPushButton()
        self.colour.setAutoDefault(False)  # Enter in a number must not press it
        self.colour.setToolTip("Colour in which the channel is shown; press to choose another")
        self.excitation, self.emission = (_wavelength(text) for text in ("Light that excites", "Light that is seen"))
        self._refusals: dict[str, QLabel] = {}
        self._lay_out()
        self._connect()

    def show_preset(self, preset: ChannelPreset) -> None:
        """Show a preset; nothing counts as edited."""
        self._is_showing = True
        self._preset = preset
        self._put(preset.model_dump())
        self._shown = self._read()
        self._is_showing = False

    def show_changes(self, values: Mapping[str, Any]) -> None:
        """Show other values of the preset that is shown; they count as edited."""
        self._is_showing = True
        self._put(values)
        self._is_showing = False

    def _put(self, values: Mapping[str, Any]) -> None:
        for box, text in ((self.source, values["source"]), (self.filter, values["filter"] or NO_FILTER)):
            if box.findText(text) < 0:  # the machine file says what the devices do not have: show it, saving refuses it
                box.addItem(text)
            box.setCurrentText(text)
        self.intensity.setValue(100 * values["intensity"])
        self.exposure.setValue(values["exposure_ms"])
        self.z_offset.setValue(values["z_offset_um"])
        gain = values["gain"]
        self.sets_gain.setChecked(gain is not None)
        self.gain.setValue(gain if gain is not None else self.gain.minimum())
        self.gain.setEnabled(gain is not None)
        self.excitation.setValue(values["excitation_nm"] or 0)
        self.emission.setValue(values["emission_nm"] or 0)
        self._show_colour(values["colour"])
        self.refuse(None, "")

    def values(self) -> dict[str, Any]:
        """Return the values as a preset has them; what was not touched is the preset's own, not rounded for showing."""
        was = self._preset.model_dump() if self._preset is not None else {}
        return {key: was[key] if value == self._shown.get(key) else value for key, value in self._read().items()}

    def _read(self) -> dict[str, Any]:
        return {
            "source": self.source.currentText(),
            "intensity": round(self.intensity.value() / 100, 6),
            "exposure_ms": self.exposure.value(),
            "filter": None if self.filter.currentIndex() == 0 else self.filter.currentText(),
            "z_offset_um": self.z_offset.value(),
            "gain": self.gain.value() if self.sets_gain.isChecked() else None,
            "colour": self.colour.text(),
            "excitation_nm": self.excitation.value() or None,
            "emission_nm": self.emission.value() or None,
        }

    def refuse(self, field: str | None, text: str) -> None:
        """Show at a field why it is refused, and nothing at the others; None: nothing anywhere."""
        for name, label in self._refusals.items():
            label.setText(text if name == field else "")
            label.setVisible(name == field)

    def has_field(self, field: str) -> bool:
        """Return whether a value of that name is in the form."""
        return field in self._refusals

    def _choose_colour(self) -> None:
        chosen = QColorDialog.getColor(QColor(self.colour.text()), self, "Colour of the channel")
        if chosen.isValid():
            self.set_colour(chosen.name().upper())

    def set_colour(self, colour: str) -> None:
        """Take a colour, ``#RRGGBB``, as a person who chose it."""
        self._show_colour(colour)
        self._say()

    def _show_colour(self, colour: str) -> None:
        ink = theme.BACKGROUND if QColor(colour).lightness() > 110 else theme.TEXT
        self.colour.setText(colour)
        self.colour.setStyleSheet(f"background: {colour}; color: {ink}; border: 1px solid {theme.LINE}; padding: 5px;")

    def _say(self) -> None:
        self.gain.setEnabled(self.sets_gain.isChecked())
        if not self._is_showing:
            self.refuse(None, "")
            self.edited.emit()

    def _connect(self) -> None:
        for box in (self.source, self.filter):
            box.currentTextChanged.connect(lambda _: self._say())
        for number in (self.intensity, self.exposure, self.z_offset, self.gain, self.excitation, self.emission):
            number.valueChanged.connect(lambda _: self._say())
        self.sets_gain.toggled.connect(lambda _: self._say())
        self.colour.clicked.connect(lambda _: self._choose_colour())

    def _lay_out(self) -> None:
        gain = QWidget()
        row = QHBoxLayout(gain)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.gain)
        row.addWidget(self.sets_gain, 1)
        edits: dict[str, QWidget] = {
            "source": self.source,
            "intensity": self.intensity,
            "exposure_ms": self.exposure,
            "filter": self.filter,
            "z_offset_um": self.z_offset,
            "gain": gain,
            "colour": self.colour,
            "excitation_nm": self.excitation,
            "emission_nm": self.emission,
        }
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(theme.GAP_PX)
        for name, edit in edits.items():
            edit.setObjectName(f"preset_{name}")
            refusal = self._refusals[name] = QLabel()
            refusal.setProperty("role", "refusal")
            refusal.setWordWrap(True)
            refusal.hide()
            cell = QVBoxLayout()
            cell.setSpacing(2)
            cell.addWidget(edit)
            cell.addWidget(refusal)
            form.addRow(_LABELS[name], cell)


def _wavelength(tip: str) -> NumberEdit:
    edit = NumberEdit("nm", 0, 2000, 0, decimals=1, step=5, tip=tip)
    edit.setSpecialValueText("white light, not known")
    return edit
