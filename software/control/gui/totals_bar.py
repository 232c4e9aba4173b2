"""Plan page: what the plan takes, always in sight."""

from __future__ import annotations

from datetime import datetime, timedelta

from PyQt5.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from control.core.planning import Totals
from control.core.words import duration
from control.gui import theme

_PARTS = (
    ("frames", "frames", "Images that will be taken"),
    ("wells", "wells", "Wells with at least one field"),
    ("fields", "fields", "Fields of all wells or positions together"),
    ("bytes", "to store", "At most: without compression, with the smaller copies for viewing"),
    ("free", "free on disk", "Free space in the output folder"),
    ("duration", "duration", "Estimated from exposures, moves and read-out"),
    ("end", "ends at", "If it is started now"),
)


class TotalsBar(QWidget):
    """The plan's totals in one line: a number over its word each."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, QLabel] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * theme.GAP_PX)
        for name, word, tip in _PARTS:
            value, caption = QLabel("–"), QLabel(word)
            value.setObjectName(f"total_{name}")
            value.setProperty("role", "title")
            caption.setProperty("role", "faint")
            for label in (value, caption):
                label.setToolTip(tip)
            column = QVBoxLayout()
            column.setSpacing(0)
            column.addWidget(value)
            column.addWidget(caption)
            layout.addLayout(column)
            self.values[name] = value
        layout.addStretch(1)

    def show_totals(self, totals: Totals | None, now: datetime) -> None:
        """Show totals; None: they cannot be worked out."""
        texts = _texts(totals, now) if totals is not None else {}
        for name, label in self.values.items():
            label.setText(texts.get(name, "–"))
        needs_more = totals is not None and totals.free_bytes is not None and totals.bytes > totals.free_bytes
        self.values["free"].setStyleSheet(f"color: {theme.BAD}" if needs_more else "")


def _texts(totals: Totals, now: datetime) -> dict[str, str]:
    texts = {
        "frames": _grouped(totals.frames),
        "wells": _grouped(totals.wells),
        "fields": _grouped(totals.fields),
        "bytes": _gigabytes(totals.bytes),
    }
    if totals.free_bytes is not None:
        texts["free"] = _gigabytes(totals.free_bytes)
    if totals.duration_s is not None:
        texts["duration"] = duration(totals.duration_s)
        texts["end"] = _end(now, totals.duration_s)
    return texts


def _grouped(number: int) -> str:
    """Return a number with thin gaps between thousands."""
    return f"{number:,}".replace(",", "\u2009")


def _gigabytes(number: int) -> str:
    gigabytes = number / 1e9
    return f"{gigabytes:.2f} GB" if gigabytes < 10 else f"{gigabytes:,.0f} GB".replace(",", "\u2009")


def _end(now: datetime, duration_s: float) -> str:
    try:
        end = now + timedelta(seconds=duration_s)
    except OverflowError:
        return "–"
    days = (end.date() - now.date()).days
    if days == 0:
        return f"{end:%H:%M}"
    return f"{end:%a %H:%M}" if days < 7 else f"{end:%Y-%m-%d %H:%M}"
