"""The three axes at a glance: where the stage is, where that lies between the limits, where to go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt5.QtCore import QRectF, QSignalBlocker, Qt
from PyQt5.QtGui import QColor, QPaintEvent
from PyQt5.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from control.gui import theme
from control.gui.painting import painting
from control.gui.parts import NumberEdit, faint_label, press_action
from squid.models.geometry import AxisRange, StageLimits, StagePosition


@dataclass(frozen=True, slots=True)
class _Unit:
    """How an axis is shown: x and y in mm with 3 decimals, z in µm with 2."""

    name: str
    per_um: float
    decimals: int

    def text(self, value_um: float) -> str:
        """Return a value with its unit."""
        return f"{value_um * self.per_um:.{self.decimals}f} {self.name}"


_UNITS = {"x": _Unit("mm", 1e-3, 3), "y": _Unit("mm", 1e-3, 3), "z": _Unit("µm", 1.0, 2)}


class StageAxes(QWidget):
    """Position, limits and go-to fields.

    Parameters
    ----------
    limits : StageLimits
        Where the stage may go.
    on_go : callable
        Told the targets, in µm by axis (``x_um`` …), when a person asks for them.
    """

    def __init__(self, limits: StageLimits, on_go: Callable[[dict[str, float]], object]) -> None:
        super().__init__()
        self._on_go = on_go
        self._rows = {name: _Row(name, getattr(limits, name)) for name in "xyz"}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.GAP_PX)
        grid.setVerticalSpacing(theme.GAP_PX // 2)
        grid.setColumnStretch(1, 1)
        for column, title in ((1, "Position and limits"), (2, "Go to")):
            grid.addWidget(faint_label(title), 0, column)
        for number, (name, row) in enumerate(self._rows.items()):
            label = QLabel(name)
            label.setProperty("role", "title")
            grid.addWidget(label, 2 * number + 1, 0)
            reading = QHBoxLayout()
            reading.addWidget(row.reading, 1)
            reading.addWidget(row.ends)
            grid.addLayout(reading, 2 * number + 1, 1)
            grid.addWidget(row.bar, 2 * number + 2, 1)
            grid.addWidget(row.target, 2 * number + 1, 2, 2, 1)
            row.on_enter(self._go)
        self.go_button = QPushButton("Go")
        self.go_button.setObjectName("goButton")
        self.go_button.setToolTip("Go to what was entered (Enter); a field that was not changed leaves its axis alone")
        self.go_button.clicked.connect(lambda _: self._go())
        self.go_action = press_action(self.go_button, "&Go to what was entered", "Ctrl+G", "arrow-right-circle-outline")
        grid.addWidget(self.go_button, 7, 2)

    def show_position(self, position: StagePosition | None) -> None:
        """Show where the stage is; a go-to field follows until a person changes it."""
        for name, row in self._rows.items():
            row.show_position(None if position is None else getattr(position, f"{name}_um"))

    def set_moves_allowed(self, allowed: bool) -> None:
        """Let fields and button ask for moves, or not; the position is shown anyway."""
        self.go_button.setEnabled(allowed)
        for row in self._rows.values():
            row.target.setEnabled(allowed)

    def _go(self) -> None:
        targets = {f"{name}_um": row.target_um for name, row in self._rows.items() if row.is_changed}
        for row in self._rows.values():
            row.is_changed = False
        if targets:
            self._on_go(targets)


class _Row:
    """What one axis shows."""

    def __init__(self, name: str, limits: AxisRange) -> None:
        self._unit = unit = _UNITS[name]
        self.reading = QLabel("–")
        self.reading.setObjectName(f"{name}Position")
        self.reading.setStyleSheet("font-size: 15px;")
        self.ends = faint_label(f"{limits.min_um * unit.per_um:g} … {limits.max_um * unit.per_um:g} {unit.name}")
        self.ends.setWordWrap(False)
        self.ends.setStyleSheet("font-size: 11px;")
        self.ends.setToolTip(f"limits of {name} in {unit.name}")
        self.bar = _LimitBar(limits, unit)
        self.target = NumberEdit(
            unit.name,
            limits.min_um * unit.per_um,
            limits.max_um * unit.per_um,
            min(max(0.0, limits.min_um * unit.per_um), limits.max_um * unit.per_um),
            decimals=unit.decimals,
            step=0.1 if unit.name == "mm" else 1.0,
            tip=f"where to go on {name}; Enter moves there",
        )
        self.target.setObjectName(f"{name}Target")
        self.target.setFixedWidth(112)
        self.target.valueChanged.connect(self._edited)
        self.is_changed = False
        """Whether a person changed the target since the last move."""

    @property
    def target_um(self) -> float:
        """The target in µm."""
        return self.target.value() / self._unit.per_um

    def on_enter(self, go: Callable[[], None]) -> None:
        """Call `go` when Enter is pressed in the field."""
        edit = self.target.lineEdit()
        if edit is not None:
            edit.textEdited.connect(self._edited)
            edit.returnPressed.connect(go)

    def _edited(self, _: object) -> None:
        self.is_changed = True

    def show_position(self, value_um: float | None) -> None:
        """Show where the axis is."""
        if value_um is not None and not self.is_changed and not self.target.hasFocus():
            with QSignalBlocker(self.target):
                self.target.setValue(value_um * self._unit.per_um)
        text = "–" if value_um is None else self._unit.text(value_um)
        if text != self.reading.text():
            self.reading.setText(text)
            self.bar.show_value(value_um)


class _LimitBar(QWidget):
    """A thin bar from the lower to the upper limit, with a mark where the axis is."""

    def __init__(self, limits: AxisRange, unit: _Unit) -> None:
        super().__init__()
        self._limits = limits
        self._value_um: float | None = None
        self.setFixedHeight(8)
        self.setToolTip(f"limits: {unit.text(limits.min_um)} to {unit.text(limits.max_um)}")

    def show_value(self, value_um: float | None) -> None:
        """Move the mark."""
        self._value_um = value_um
        self.update()

    def paintEvent(self, _: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw bar and mark."""
        with painting(self, is_smooth=True) as painter:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.LINE))
            painter.drawRoundedRect(QRectF(0, 2, self.width(), 4), 2, 2)
            if self._value_um is not None:
                low, high = self._limits.min_um, self._limits.max_um
                share = min(max((self._value_um - low) / (high - low), 0.0), 1.0)
                near_end = share < 0.02 or share > 0.98
                painter.setBrush(QColor(theme.WAITING if near_end else theme.ACCENT))
                painter.drawEllipse(QRectF(share * (self.width() - 8), 0, 8, 8))
