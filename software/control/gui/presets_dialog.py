"""The dialog in which a person edits the channel presets of an objective, saves them, or takes the machine file's back.

Changes wait in the dialog (marked •) until Save; the machine file is never written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QCloseEvent
from PyQt5.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from control.core.presets import PresetChoices, Presets
from control.gui import theme
from control.gui.parts import Section, button_for, faint_label, make_action
from control.gui.preset_form import ANY, PresetForm
from control.gui.preset_list import PresetList
from control.gui.work_bar import WorkBar
from squid.errors import ConfigurationError, SquidError
from squid.models.channel import ChannelPreset
from squid.utils.task import TaskCancelledError, WorkerResult
from squid.utils.task_bridge import submit_with_progress
from squid.utils.worker_manager import WorkerManager

_LIMIT_MS = 20_000
_SAVE = "save presets"


class PresetsDialog(QDialog):
    """Channel presets of one objective.

    Parameters
    ----------
    presets : Presets
        Shown and saved.
    objective : str
        Whose presets.
    choices : PresetChoices, optional
        What the devices take; None: any value that a preset may have.
    parent : QWidget, optional
        Over which it opens.
    manager : WorkerManager, optional
        Writes the file in a task; None: at once, for programs without one.

    Attributes
    ----------
    saved : pyqtSignal(str, str)
        Objective and channel whose preset has changed, after the file was written: runs and live view take it from
        `Presets.machine`.
    """

    saved = pyqtSignal(str, str)

    def __init__(
        self,
        presets: Presets,
        objective: str,
        choices: PresetChoices | None = None,
        parent: QWidget | None = None,
        *,
        manager: WorkerManager | None = None,
    ) -> None:
        super().__init__(parent)
        self._presets = presets
        self._objective = objective
        self._choices = choices
        self._manager = manager
        self._changes: dict[str, dict[str, Any]] = {}
        self._name = ""
        self.setWindowTitle(f"Channel presets of {objective}")
        self.list = PresetList()
        self.work = WorkBar()
        self.form = PresetForm(choices or ANY)
        self.section = Section("")
        self.origin = faint_label()
        self.origin.setObjectName("presetOrigin")
        self.save = make_action(
            self, "&Save", self._save, shortcut="Ctrl+S", image="content-save", tip="Keep all changes"
        )
        self.reset = make_action(
            self,
            "Take the &machine file's",
            self._reset,
            image="backup-restore",
            tip="Forget your own values of this channel",
        )
        self.new = make_action(
            self,
            "&New channel…",
            self._ask_name,
            shortcut="Ctrl+N",
            image="plus",
            tip="Make a channel of your own, as a copy of the one that is shown",
        )
        self.leave = make_action(self, "&Close", self.close, tip="Close; asks when something is not saved")
        self._lay_out()
        self.list.chosen.connect(self._show)
        self.form.edited.connect(self._edited)
        self._fill()

    def choose(self, channel: str) -> None:
        """Show a channel, if the objective has it."""
        self.list.choose(channel)

    @property
    def unsaved(self) -> tuple[str, ...]:
        """The channels whose changes are not saved."""
        return tuple(self._changes)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ask what becomes of changes that are not saved."""
        if event is not None and self._changes and not self._may_close():
            event.ignore()

    def reject(self) -> None:
        """Close by the Escape key, asking as the button does."""
        self.close()

    def _may_close(self) -> bool:
        answers = QMessageBox.StandardButton
        names = ", ".join(self._changes)
        text = f"The changes of {names} are not saved."
        box = QMessageBox(QMessageBox.Icon.Question, "Channel presets", text, parent=self)
        box.setStandardButtons(QMessageBox.StandardButtons(answers.Save) | answers.Discard | answers.Cancel)
        answer = box.exec_()
        if answer == answers.Save:
            if self._manager is not None:
                self._save(then=self.close)
                return False  # it closes by itself once the file is written
            self._save()
            return not self._changes
        if answer == answers.Discard:
            self._changes.clear()
        return answer == answers.Discard

    # --- a channel of one's own -------------------------------------------------------------------------------------

    def _ask_name(self) -> None:
        ask = QInputDialog(self)
        ask.setObjectName("newChannelName")
        ask.setWindowTitle("New channel")
        ask.setLabelText(f"Name of the new channel of the {self._objective}, a copy of {self._name}:")
        ask.textValueSelected.connect(self.add_channel)
        ask.finished.connect(ask.deleteLater)
        ask.open()

    def add_channel(self, name: str) -> None:
        """Keep a copy of the shown channel under a new name, and show it."""
        name, copied = name.strip(), self._presets.get(self._objective, self._name)
        taken = {known.casefold() for known in self._presets.names(self._objective)}
        if not name or name.casefold() in taken:
            self.section.refuse(f"'{name}' is there already" if name else "A channel needs a name")
            return

        def written() -> None:
            self._name = name
            self._written((name,), None)

        self._work(lambda: self._save_one(name, copied), written)

    def _save_one(self, name: str, preset: ChannelPreset) -> None:
        self._presets.save(self._objective, name, preset, self._choices)

    # --- saving -----------------------------------------------------------------------------------------------------

    def _save(self, then: Callable[[], object] | None = None) -> None:
        changes = {name: dict(values) for name, values in self._changes.items()}
        self._work(lambda: self._write(changes), lambda: self._written(tuple(changes), then))

    def _write(self, changes: dict[str, dict[str, Any]]) -> None:
        for name, values in changes.items():
            self._presets.save(self._objective, name, values, self._choices)

    def _reset(self) -> None:
        name = self._name
        self._changes.pop(name, None)
        self._work(lambda: self._presets.reset(self._objective, name), lambda: self._written((name,), None))

    def _work(self, task: Callable[[], None], done: Callable[[], None]) -> None:
        """Do what writes the file, beside the window where there is a manager."""
        self.section.refuse()
        if self._manager is None:
            try:
                task()
            except SquidError as error:
                self._refuse(error)
            else:
                done()
            return
        for action in (self.save, self.reset, self.new):
            action.setEnabled(False)
        self._done = done
        submit_with_progress(
            self._manager,
            self.work.begin("Saving presets"),
            _SAVE,
            task,
            timeout_ms=_LIMIT_MS,
            on_complete=self._ended,
            on_error=self._ended,
            coalesce_key=_SAVE,
        )

    def _ended(self, result: WorkerResult) -> None:
        if result.success:
            self._done()
        elif isinstance(result.error, TaskCancelledError):
            self._follow()
        else:
            error = TimeoutError("The disk did not answer in time") if result.timed_out else result.error
            self._refuse(error)
            self._follow()

    def _written(self, names: tuple[str, ...], then: Callable[[], object] | None) -> None:
        for name in names:
            self._changes.pop(name, None)
        self._fill()
        for name in names:
            self.saved.emit(self._objective, name)
        if then is not None:
            then()

    def _refuse(self, error: BaseException | None) -> None:
        """Show a refusal at its field when it is one, else above the form."""
        key = (error.key or "") if isinstance(error, ConfigurationError) else ""
        channel, _, field = key.removeprefix(f"channels.{self._objective}.").rpartition(".")
        if isinstance(error, ConfigurationError) and channel in self._changes and self.form.has_field(field):
            self.choose(channel)
            allowed = f" (allowed: {error.allowed})" if error.allowed else ""
            self.form.refuse(field, f"{error.message}{allowed}")
        else:
            self.section.refuse(str(error))

    # --- showing ----------------------------------------------------------------------------------------------------

    def _edited(self) -> None:
        values, kept = self.form.values(), self._presets.get(self._objective, self._name).model_dump()
        if values == kept:
            self._changes.pop(self._name, None)
        else:
            self._changes[self._name] = values
        self._follow()

    def _show(self, name: str) -> None:
        self._name = name
        self.form.show_preset(self._presets.get(self._objective, name))
        if name in self._changes:
            self.form.show_changes(self._changes[name])
        self._follow()

    def _fill(self) -> None:
        """Make the list anew; the channel that was shown stays chosen, with what is kept now."""
        self._show(self.list.show_names(self._presets.names(self._objective), self._name))

    def _follow(self) -> None:
        """Show what is edited, what is not saved, and what can be done now."""
        presets, objective = self._presets, self._objective
        for name in self.list.names():
            colour = self._changes.get(name, {}).get("colour") or presets.get(objective, name).colour
            is_own = presets.is_edited(objective, name)
            self.list.mark(name, colour, is_changed=name in self._changes, is_own=is_own)
        is_own, is_changed = presets.is_edited(objective, self._name), self._name in self._changes
        self.section.title.setText(self._name)
        is_new = presets.is_own(objective, self._name)
        self.reset.setText("&Remove channel" if is_new else "Take the &machine file's")
        says = "a channel of your own" if is_new else "your own values" if is_own else "as in the machine file"
        self.origin.setText(f"{objective}, {says}{', changed and not saved' if is_changed else ''}")
        self.save.setEnabled(bool(self._changes))
        self.reset.setEnabled(is_own or is_changed)
        self.new.setEnabled(True)

    def _lay_out(self) -> None:
        self.section.body.addWidget(self.origin)
        self.section.body.addWidget(self.form)
        self.section.body.addStretch(1)
        title = QLabel("Channels")
        title.setProperty("role", "title")
        left = QVBoxLayout()
        left.addWidget(title)
        left.addWidget(self.list)
        sides = QHBoxLayout()
        sides.setSpacing(2 * theme.GAP_PX)
        sides.addLayout(left, 2)
        sides.addWidget(self.section, 3)
        buttons = QHBoxLayout()
        save, reset, leave = button_for(self.save, "main"), button_for(self.reset), button_for(self.leave)
        new = button_for(self.new)
        named = ((save, "presetSave"), (reset, "presetReset"), (leave, "presetClose"), (new, "presetNew"))
        for button, name in named:
            button.setObjectName(name)
            button.setAutoDefault(False)
        buttons.addWidget(new)
        buttons.addWidget(reset)
        buttons.addStretch(1)
        buttons.addWidget(leave)
        buttons.addWidget(save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * theme.GAP_PX, 2 * theme.GAP_PX, 2 * theme.GAP_PX, 2 * theme.GAP_PX)
        layout.addWidget(
            faint_label(
                f"How each channel is taken with the {self._objective}, in live view and in runs, unless a plan says "
                "otherwise. What you save is yours on this computer; the machine file stays as it is."
            )
        )
        layout.addLayout(sides)
        layout.addWidget(self.work)
        layout.addLayout(buttons)
        self.resize(700, 600)
