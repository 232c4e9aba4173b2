"""Live view's controls: channel, start and stop, snap, exposure, intensity, gain, presets.

Their keys work only while the panel is shown: nobody exposes a plate, or overwrites a preset, that he does not see.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import QAction, QFormLayout, QGridLayout, QLabel

from control.core.live import Live, LiveSettings
from control.core.presets import Presets
from control.core.words import in_words
from control.gui.channel_buttons import ChannelButtons
from control.gui.parts import NumberEdit, Section, button_for, faint_label, make_action, set_image, submenu
from squid.errors import SquidError


class LivePanel(Section):
    """What live view is taken with.

    Parameters
    ----------
    live : Live
        Is commanded and read.
    presets : Presets
        Where channels come from, and where changed ones are kept.

    Attributes
    ----------
    snap_requested, snap_to_file_requested : pyqtSignal
        A person wants a snap.
    preset_saved : pyqtSignal(str)
        Name of the channel whose preset was kept.
    """

    snap_requested = pyqtSignal()
    snap_to_file_requested = pyqtSignal()
    preset_saved = pyqtSignal(str)

    def __init__(self, live: Live, presets: Presets) -> None:
        super().__init__("Live")
        self._live = live
        self._presets = presets
        self._objective = ""
        self._shown: LiveSettings | None = None
        self._is_running: bool | None = None
        self._failure: str | None = None
        self._owner: str | None = None
        self._is_snapping = self._is_shown = False
        self.rate = faint_label()
        self.rate.setObjectName("frameRate")
        self.banner = QLabel()
        self.channels = ChannelButtons()
        self.channels.chosen.connect(self.choose)
        self.live_action = make_action(self, "Start &live", self.toggle, shortcut="F2", image="play")
        self.snap_action = make_action(
            self, "&Snap", self.snap_requested.emit, shortcut="F3", tip="Take one image and show it", image="camera"
        )
        self.file_action = make_action(
            self,
            "Snap to &file",
            self.snap_to_file_requested.emit,
            shortcut="F4",
            tip="Take one image and store it as OME-TIFF",
            image="content-save-outline",
        )
        self.save_action = make_action(
            self,
            "Save to &preset",
            self.save_preset,
            shortcut="Ctrl+P",
            tip="Keep exposure, intensity and gain as this channel's preset for the objective",
            image="tune",
        )
        choices = live.camera_choices
        self.exposure = NumberEdit("ms", *choices.exposure_range_ms, 10.0, tip="Exposure time")
        self.intensity = NumberEdit("%", 0.0, 100.0, 0.0, tip="Share of the light source's full power")
        self.gain = NumberEdit(
            "x", *choices.gain_range, choices.gain_range[0], decimals=2, step=0.1, tip="Analogue gain"
        )
        self._lay_out()

    def _lay_out(self) -> None:
        self.banner.setObjectName("liveFailure")
        self.banner.setProperty("role", "refusal")
        self.banner.setWordWrap(True)
        self.banner.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.banner.hide()
        buttons = QGridLayout()
        for number, (action, role, name) in enumerate(
            (
                (self.live_action, "main", "liveButton"),
                (self.snap_action, "", "snapButton"),
                (self.save_action, "", "savePresetButton"),
                (self.file_action, "", "snapFileButton"),
            )
        ):
            button = button_for(action, role)
            button.setObjectName(name)
            buttons.addWidget(button, number // 2, number % 2)
        numbers = QFormLayout()
        numbers.setContentsMargins(0, 0, 0, 0)
        for label, edit, name, apply in (
            ("Exposure", self.exposure, "exposureEdit", self._apply_exposure),
            ("Intensity", self.intensity, "intensityEdit", self._apply_intensity),
            ("Gain", self.gain, "gainEdit", self._apply_gain),
        ):
            edit.setObjectName(name)
            edit.valueChanged.connect(apply)
            numbers.addRow(label, edit)
        low, high = self._live.camera_choices.gain_range
        self.gain.setEnabled(low < high)
        self.body.addWidget(self.channels)
        self.body.addLayout(buttons)
        self.body.addLayout(numbers)
        self.body.addWidget(self.rate)
        self.body.addWidget(self.banner)

    def menu_actions(self) -> list[QAction | None]:
        """Return the actions in menu order; None separates."""
        channels = submenu(self, "&Channel", self.channels.actions_of_channels)
        return [self.live_action, self.snap_action, self.file_action, None, channels, self.save_action]

    # --- state ------------------------------------------------------------------------------------------------------

    def set_objective(self, objective: str) -> None:
        """Offer the channels of this objective; the chosen one takes its preset for it."""
        if objective == self._objective:
            return
        is_first, self._objective = not self._objective, objective
        names = self._presets.names(objective)
        self.channels.set_channels({name: self._presets.get(objective, name).colour for name in names})
        self._shown = None
        if not is_first and self._live.settings.channel in self.channels.buttons:
            self.choose(self._live.settings.channel)
        self.refresh()

    def refresh(self) -> None:
        """Show what live view does; from a timer."""
        settings, is_running = self._live.settings, self._live.is_running
        if settings != self._shown:
            self._shown = settings
            for edit, value in (
                (self.exposure, settings.exposure_ms),
                (self.intensity, settings.intensity * 100),
                (self.gain, settings.gain),
            ):
                edit.blockSignals(True)
                edit.setValue(value)
                edit.blockSignals(False)
            self.channels.show_chosen(settings.channel)
        if is_running != self._is_running:
            self._is_running = is_running
            self.live_action.setText("Stop &live" if is_running else "Start &live")
            set_image(self.live_action, "stop" if is_running else "play")
            self.live_action.setToolTip(f"{'Stop' if is_running else 'Start'} live view (F2)")
        rate = f"{self._live.frame_rate_hz:.1f} frames per second" if is_running else self._why_off()
        if rate != self.rate.text():
            self.rate.setText(rate)
        self._show_failure(self._live.failure)

    def _why_off(self) -> str:
        """Say that live is off, who has the microscope, and when the image that is shown was taken."""
        frame = self._live.newest()
        taken = time.strftime("; image of %H:%M:%S", time.localtime(frame.utc_s)) if frame is not None else ""
        if self._owner is None:
            return f"Live is off{taken}"
        return f"{self._owner[:1].upper()}{self._owner[1:]} has the microscope{taken}"

    def set_owner(self, owner: str | None) -> None:
        """Say who has the microscope, so that no light goes on from here; None: it is free."""
        self._owner = owner
        self._enable()

    def set_snapping(self, is_snapping: bool) -> None:
        """One snap at a time."""
        self._is_snapping = is_snapping
        self._enable()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let the keys work."""
        super().showEvent(event)
        self._is_shown = True
        self._enable()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let them do nothing."""
        super().hideEvent(event)
        self._is_shown = False
        self._enable()

    def _enable(self) -> None:
        is_free = self._is_shown and self._owner is None
        self.live_action.setEnabled(is_free or (self._is_shown and self._live.is_running))
        for action in (self.snap_action, self.file_action):
            action.setEnabled(is_free and not self._is_snapping)
        for action in (self.save_action, *self.channels.actions_of_channels):
            action.setEnabled(self._is_shown)

    def _show_failure(self, failure: str | None) -> None:
        if failure != self._failure:
            self._failure = failure
            self.banner.setText(f"Live view ended by itself: {failure}" if failure else "")
            self.banner.setVisible(failure is not None)

    # --- what a person does -----------------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Start live view, or stop it."""
        self._try(self._live.stop if self._live.is_running else self._live.start)

    def choose(self, channel: str) -> None:
        """Take the preset of a channel."""
        self._try(partial(self._live.set, channel=channel))

    def save_preset(self) -> None:
        """Keep exposure, intensity and gain as the channel's preset for this objective."""
        settings = self._live.settings
        preset = self._presets.get(self._objective, settings.channel)
        is_gain_kept = preset.gain is not None or self.gain.isEnabled()
        changed = preset.model_copy(
            update={
                "exposure_ms": settings.exposure_ms,
                "intensity": settings.intensity,
                "gain": settings.gain if is_gain_kept else None,
            }
        )
        if self._try(partial(self._presets.save, self._objective, settings.channel, changed)):
            self.preset_saved.emit(settings.channel)

    def _apply_exposure(self, exposure_ms: float) -> None:
        self._try(partial(self._live.set, exposure_ms=exposure_ms))

    def _apply_intensity(self, intensity_pct: float) -> None:
        self._try(partial(self._live.set, intensity=intensity_pct / 100))

    def _apply_gain(self, gain: float) -> None:
        self._try(partial(self._live.set, gain=gain))

    def _try(self, command: Callable[[], object]) -> bool:
        """Carry out a command at once and show what it refuses; return whether it was carried out."""
        try:
            command()
        except SquidError as refusal:
            self.refuse(in_words(refusal))
            self._shown = None  # the edits return to what is in force
            return False
        self.refuse()
        self.refresh()
        return True
