"""Plan page: the two dialogs that it opens: channel presets, and plates of one's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QWidget

from control.core.planning import PlanDraft
from control.core.presets import PresetChoices
from control.core.session import Session
from control.gui.own_plate_dialog import OwnPlateDialog
from control.gui.parts import make_action
from control.gui.plan_rig import PlanRig
from control.gui.presets_dialog import PresetsDialog
from control.gui.work_bar import WorkBar
from squid.models.plate import PlateGeometry
from squid.utils.task import WorkerResult
from squid.utils.task_bridge import submit_with_progress

_LIMIT_MS = 10_000


class PlanDialogs(QObject):
    """Opens them over the page, and says what a person has changed.

    Parameters
    ----------
    page : QWidget
        The page.
    session : Session
        Its presets are shown and saved.
    rig : PlanRig
        Says what is in use, and where the stage stands.
    work : WorkBar
        Shows what takes long.
    draft_now : callable
        The draft on the screen.
    plate_now : callable
        The plate on the screen.

    Attributes
    ----------
    presets_saved : pyqtSignal()
        Presets have changed.
    plate_saved, plate_removed : pyqtSignal(str)
        Name of a plate that was kept, or is no more.
    """

    presets_saved = pyqtSignal()
    plate_saved = pyqtSignal(str)
    plate_removed = pyqtSignal(str)

    def __init__(
        self,
        page: QWidget,
        session: Session,
        rig: PlanRig,
        work: WorkBar,
        draft_now: Callable[[], PlanDraft],
        plate_now: Callable[[], PlateGeometry],
    ) -> None:
        super().__init__(page)
        self._page, self._session, self._rig, self._work = page, session, rig, work
        self._draft_now, self._plate_now = draft_now, plate_now
        self.presets_action = make_action(
            page,
            "&Edit presets…",
            self.edit_presets,
            shortcut="Ctrl+Shift+E",
            tip="How each channel is taken with each objective, unless a plan says otherwise",
            image="tune-variant",
        )
        self.plate_action = make_action(
            page,
            "Own p&late…",
            self.make_plate,
            shortcut="Ctrl+Shift+B",
            tip="Make a plate of your own, or say where A1 of this one really is",
            image="pencil-ruler",
        )

    def edit_presets(self) -> None:
        """Ask the devices what they take, then open the dialog."""
        session, objective = self._session, self._draft_now().objective or self._rig.objective
        submit_with_progress(
            session.manager,
            self._work.begin("Asking the devices what they can do"),
            "preset choices",
            lambda: PresetChoices.of(session.microscope),
            timeout_ms=_LIMIT_MS,
            on_complete=partial(self._open_presets, objective),
            coalesce_key="choices",
        )

    def _open_presets(self, objective: str, choices: WorkerResult) -> None:
        session = self._session
        dialog = PresetsDialog(session.presets, objective, choices.value, self._page, manager=session.manager)
        dialog.saved.connect(lambda *_: self.presets_saved.emit())
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def make_plate(self) -> None:
        """Open the dialog with the plate that is shown."""
        session = self._session
        dialog = OwnPlateDialog(session.presets, self._rig, session.manager, self._plate_now(), self._page)
        dialog.saved.connect(self.plate_saved)
        dialog.removed.connect(self.plate_removed)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
