"""Plan page: asks before a run that takes its focus from a stage which stands where nobody has one."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMessageBox, QWidget

from control.core.seen_focus import FocusDoubt
from control.gui.parts import when_clicked


def doubt_text(doubt: FocusDoubt) -> str:
    """Return what is wrong with the focus, as the section of the plan says it."""
    seen = "" if doubt.seen_um is None else f" You last looked at {doubt.seen_um:.2f} µm."
    return f"Without a fixed focus the run would image at z {doubt.z_um:.2f} µm: {doubt.why}.{seen}"


def ask_for_focus(
    page: QWidget, doubt: FocusDoubt, take: Callable[[float], object], start: Callable[[], object]
) -> QMessageBox:
    """Ask at which z the run shall be in focus; does not block.

    Parameters
    ----------
    page : QWidget
        Behind the question.
    doubt : FocusDoubt
        Why it asks.
    take, start : callable
        Start with the focus where a person has looked (µm); start where the stage stands.
    """
    box = QMessageBox(QMessageBox.Icon.Warning, "Is this the focus?", doubt_text(doubt), parent=page)
    box.setObjectName("focusQuestion")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    seen_um = doubt.seen_um
    if seen_um is not None:
        seen = box.addButton(f"Focus at {seen_um:.2f} µm", QMessageBox.ButtonRole.AcceptRole)
        assert seen is not None
        seen.setToolTip("Put this z into the plan, and start")
        when_clicked(seen, lambda: take(round(seen_um, 2)))
    here = box.addButton(f"Start at {doubt.z_um:.2f} µm", QMessageBox.ButtonRole.DestructiveRole)
    back = box.addButton("Do not start", QMessageBox.ButtonRole.RejectRole)
    assert here is not None
    here.setToolTip("Image where the stage stands")
    when_clicked(here, start)
    box.setDefaultButton(back)
    box.setEscapeButton(back)
    box.open()
    return box
