"""A painter never outlives its block: Qt dies of a painter that is still active after a paint event."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtGui import QPixmap

import control.gui
from control.gui.painting import painting

GUI = Path(control.gui.__file__).parent


@pytest.mark.usefixtures("qapp")
def test_a_painter_ends_with_its_block() -> None:
    pixmap = QPixmap(8, 8)
    with painting(pixmap, is_smooth=True) as painter:
        assert painter.isActive()
        assert painter.testRenderHint(painter.RenderHint.Antialiasing)
    assert not painter.isActive()


@pytest.mark.usefixtures("qapp")
def test_a_painter_ends_with_a_block_that_fails() -> None:
    pixmap = QPixmap(8, 8)
    block = painting(pixmap)
    painter = block.__enter__()  # kept, as the stack of an error keeps it
    with pytest.raises(ZeroDivisionError), block:
        _ = 1 / 0
    assert not painter.isActive()


def test_nobody_makes_a_painter_that_nobody_ends() -> None:
    makers = {file.name for file in GUI.glob("*.py") if "QPainter(" in file.read_text(encoding="utf-8")}
    assert makers == {"painting.py"}
