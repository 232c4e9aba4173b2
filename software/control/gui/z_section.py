"""Plan page: where the focus is, and the planes around it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from PyQt5.QtWidgets import QAction, QCheckBox, QLabel, QPushButton, QWidget

from control.core.planning import Kept, PlanDraft, ZStack
from control.core.seen_focus import FocusDoubt
from control.gui.focus_question import doubt_text
from control.gui.parts import NumberEdit, faint_label, icon, press_action
from control.gui.plan_section import Form, PlanSection, choices, row, show_choice, show_number

_KINDS = (
    ("one plane", None),
    ("stack around the focus", "centre"),
    ("stack upwards from the focus", "bottom"),
    ("stack between two heights", "range"),
)
_ORDERS = (("all channels at each plane", "zc"), ("all planes of each channel", "cz"))
_NEW_RANGE_UM, _NEW_STEP_UM = 10.0, 2.0


class ZSection(PlanSection):
    """Focus and z-stack.

    Parameters
    ----------
    z_now_um : callable
        Where the stage's z is, in µm; None: not known.
    z_range_um : (float, float)
        Travel of the stage's z.
    """

    def __init__(self, z_now_um: Callable[[], float | None], z_range_um: tuple[float, float]) -> None:
        super().__init__("Focus & z-stack")
        self._z_now_um = z_now_um
        self._make_edits(z_range_um)
        self._make_doubt()
        self._form = Form()
        self.actions_of_z: list[QAction] = []
        self._focus = self._with_set_here(self.z_um, "zHere", lambda z: self.change(z_um=z), "&Focus", "Ctrl+F")
        self._bottom = self._with_set_here(
            self.bottom, "bottomHere", lambda z: self._set(bottom_um=z), "&Bottom", "Ctrl+Shift+M"
        )
        self._top = self._with_set_here(self.top, "topHere", lambda z: self._set(top_um=z), "&Top", "Ctrl+T")
        self._form.addWidget(self.is_fixed)
        self._form.add("Focus at", self._focus)
        self._form.add("Planes", self.kind)
        self._form.add("Range", self.range)
        self._form.add("Top", self._top)
        self._form.add("Bottom", self._bottom)
        self._form.add("Step", self.step)
        self._form.add("Order", self.order)
        self.body.addLayout(self._form)
        self.body.addWidget(self.doubt)
        self.body.addWidget(self.use_seen)
        self.body.addWidget(self.planes)
        self._connect()

    def _make_edits(self, z_range_um: tuple[float, float]) -> None:
        self.is_fixed = QCheckBox("Fixed focus")
        self.is_fixed.setObjectName("zFixed")
        self.is_fixed.setToolTip(
            "Every run focuses at the z given here; otherwise where the stage's z stands when the run starts"
        )
        low, high = z_range_um
        self.z_um = NumberEdit("µm", low, high, low, decimals=2, tip="z of the focus, in stage coordinates")
        self.kind = choices("zKind", _KINDS, "Which planes are taken")
        self.range = NumberEdit("µm", 0, high - low, 10, decimals=2, tip="From the lowest to the highest plane")
        self.bottom = NumberEdit("µm", low, high, low, decimals=2, tip="z of the lowest plane")
        self.top = NumberEdit("µm", low, high, low, decimals=2, tip="z of the highest plane")
        self.step = NumberEdit("µm", 0.01, 10_000, 2, step=0.5, decimals=2, tip="Distance of planes")
        self.order = choices("zOrder", _ORDERS, "What changes first in a field: channel or z")
        self.planes = faint_label()
        named = {"zUm": self.z_um, "zRange": self.range, "zBottom": self.bottom, "zTop": self.top, "zStep": self.step}
        for name, edit in (*named.items(), ("zPlanes", self.planes)):
            edit.setObjectName(name)

    def _make_doubt(self) -> None:
        self._doubt: FocusDoubt | None = None
        self.doubt = QLabel()
        self.doubt.setObjectName("zDoubt")
        self.doubt.setProperty("role", "note")
        self.doubt.setWordWrap(True)
        self.doubt.hide()
        self.use_seen = QPushButton()
        self.use_seen.setObjectName("zUseSeen")
        self.use_seen.setToolTip("Focus where you looked last, in every run of this plan")
        self.use_seen.clicked.connect(self._use_seen)
        self.use_seen.hide()

    def show_doubt(self, doubt: FocusDoubt | None) -> None:
        """Say that the stage stands where nobody has a focus; None: it does not, or is of no account."""
        if doubt == self._doubt:
            return
        self._doubt = doubt
        seen_um = doubt.seen_um if doubt is not None else None
        self.doubt.setText(doubt_text(doubt) if doubt is not None else "")
        self.doubt.setVisible(doubt is not None)
        self.use_seen.setText("" if seen_um is None else f"Focus at {seen_um:.2f} µm")
        self.use_seen.setVisible(seen_um is not None)

    def _use_seen(self) -> None:
        if self._doubt is not None and self._doubt.seen_um is not None:
            self.change(z_um=round(self._doubt.seen_um, 2))

    def _with_set_here(
        self, edit: NumberEdit, name: str, take: Callable[[float], object], what: str, key: str
    ) -> QWidget:
        button = QPushButton("Set here")
        button.setObjectName(name)
        button.setIcon(icon("crosshairs"))
        plain = what.replace("&", "")
        button.setToolTip(f"{plain}: take the z at which the stage stands now")
        self.actions_of_z.append(press_action(button, f"{what}: set here", key, "crosshairs"))

        def set_here() -> None:
            z_um = self._z_now_um()
            if z_um is not None:
                take(round(z_um, 2))

        button.clicked.connect(set_here)
        return row(edit, button)

    def _connect(self) -> None:
        self.is_fixed.toggled.connect(self._fix)
        self.z_um.valueChanged.connect(lambda z: self.change(z_um=z))
        self.kind.activated.connect(self._choose_kind)
        self.range.valueChanged.connect(lambda um: self._set(range_um=um))
        self.bottom.valueChanged.connect(lambda um: self._set(bottom_um=um))
        self.top.valueChanged.connect(lambda um: self._set(top_um=um))
        self.step.valueChanged.connect(lambda um: self._set(step_um=um))
        self.order.activated.connect(self._choose_order)

    def _fix(self, on: bool) -> None:
        z_um = self._z_now_um()
        self.change(z_um=(self.z_um.value() if z_um is None else round(z_um, 2)) if on else None)

    def _choose_kind(self, _: int) -> None:
        kind = self.kind.currentData()
        old = self.draft.z
        if kind == "kept" or (isinstance(old, ZStack) and old.kind == kind):
            return
        if kind is None:
            self.change(z=None)
            return
        step_um = old.step_um if isinstance(old, ZStack) else _NEW_STEP_UM
        range_um = (isinstance(old, ZStack) and old.span_um) or _NEW_RANGE_UM
        focus_um = self._z_now_um() if self.draft.z_um is None else self.draft.z_um
        bottom_um = round((focus_um or 0.0) - range_um / 2, 2)
        self.change(z=ZStack(kind, step_um, range_um, bottom_um, bottom_um + range_um))

    def _choose_order(self, _: int) -> None:
        order, wanted = self.draft.axis_order, self.order.currentData()
        if {"z", "c"} <= set(order):
            swapped = order.translate(str.maketrans("zc", "cz"))
            self.change(axis_order=order if _order_of(order) == wanted else swapped)

    def _set(self, **changes: float) -> None:
        if isinstance(self.draft.z, ZStack):
            self.change(z=dataclasses.replace(self.draft.z, **changes))  # type: ignore[arg-type]

    def _show(self, draft: PlanDraft) -> None:
        z = draft.z
        self.is_fixed.setChecked(draft.z_um is not None)
        self._form.show_row(self._focus, draft.z_um is not None)
        if draft.z_um is not None:
            show_number(self.z_um, draft.z_um)
        kept = self.kind.findData("kept")
        if kept >= 0:
            self.kind.removeItem(kept)
        kind = "kept" if isinstance(z, Kept) else z.kind if z is not None else None
        show_choice(self.kind, kind, f"as in the file: {z.text}" if isinstance(z, Kept) else "")
        for part, kinds in ((self.range, ("centre", "bottom")), (self._bottom, ("range",)), (self._top, ("range",))):
            self._form.show_row(part, kind in kinds)
        self._form.show_row(self.step, isinstance(z, ZStack))
        self._form.show_row(self.order, z is not None and {"z", "c"} <= set(draft.axis_order))
        show_choice(self.order, _order_of(draft.axis_order), "")
        self.planes.setVisible(isinstance(z, ZStack))
        if isinstance(z, ZStack):
            self._show_stack(z)

    def _show_stack(self, z: ZStack) -> None:
        for edit, value in ((self.range, z.range_um), (self.bottom, z.bottom_um), (self.top, z.top_um)):
            show_number(edit, value)
        show_number(self.step, z.step_um)
        self.planes.setText(f"{z.planes} planes over {z.span_um:g} µm" if z.planes != 1 else "1 plane")


def _order_of(axis_order: str) -> str:
    """Return which of z and channel stands first: the outer loop."""
    return "zc" if axis_order.find("z") < axis_order.find("c") else "cz"
