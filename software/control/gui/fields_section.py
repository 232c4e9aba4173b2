"""Plan page: how many fields are taken in each well, and where."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from PyQt5.QtWidgets import QCheckBox

from control.core.planning import FieldsChoice, GridFields, Kept, PlanDraft, RandomFields, SingleField
from control.gui.field_preview import FieldPreview
from control.gui.parts import CountEdit, NumberEdit, faint_label
from control.gui.plan_section import Form, PlanSection, choices, row, show_choice, show_number
from squid.models.plate import PlateGeometry

_KINDS = {SingleField: "single", GridFields: "grid", RandomFields: "random", Kept: "kept"}
_NEW: dict[str, FieldsChoice] = {"single": SingleField(), "grid": GridFields(), "random": RandomFields()}


class FieldsSection(PlanSection):
    """Fields per well: one, a grid, or random places."""

    def __init__(self) -> None:
        super().__init__("Fields per well")
        kinds = (("one in the centre", "single"), ("a grid", "grid"), ("random places", "random"))
        self.kind = choices("fieldsKind", kinds, "Where the fields of a well lie")
        self._make_edits()
        self.preview = FieldPreview()
        self.words = faint_label()
        self._form = Form()
        self._grid_size = row(self.rows, self.columns)
        self._area = row(self.width_um, self.height_um)
        for label, part in (
            ("Fields", self.kind),
            ("Rows × columns", self._grid_size),
            ("Overlap", self.overlap),
            ("Order", self.order),
            ("Number", self.count),
            ("Within", self._area),
            ("Seed", self.seed),
        ):
            self._form.add(label, part)
        self._form.addWidget(self.clip)
        self.body.addLayout(self._form)
        self.body.addWidget(self.preview)
        self.body.addWidget(self.words)
        self._connect()

    def _make_edits(self) -> None:
        self.rows = CountEdit("", 1, 200, 2, tip="Rows of fields in a well")
        self.columns = CountEdit("", 1, 200, 2, tip="Columns of fields in a well")
        self.overlap = NumberEdit("%", -100, 99, 0, tip="How much neighbouring fields share; below 0: gaps")
        self.order = choices("gridOrder", (("snake", "snake"), ("row by row", "row")), "Way through the fields")
        self.count = CountEdit("", 1, 10_000, 5, tip="Fields in each well")
        self.seed = CountEdit("", 0, 999_999, 0, tip="Other seeds give other places")
        tip = "Size of the ellipse in which the places lie"
        self.width_um = NumberEdit("µm", 1, 200_000, 4000, step=100, decimals=0, tip=tip)
        self.height_um = NumberEdit("µm", 1, 200_000, 4000, step=100, decimals=0, tip=tip)
        names = {"gridRows": self.rows, "gridColumns": self.columns, "randomCount": self.count, "randomSeed": self.seed}
        for name, edit in {**names, "gridOverlap": self.overlap}.items():
            edit.setObjectName(name)
        self.clip = QCheckBox("Only inside the well")
        self.clip.setObjectName("fieldsClip")
        self.clip.setToolTip("Leave out the fields whose centre is not inside the well")

    def _connect(self) -> None:
        self.kind.activated.connect(self._choose_kind)
        edits = {
            "rows": self.rows,
            "columns": self.columns,
            "overlap_pct": self.overlap,
            "count": self.count,
            "seed": self.seed,
            "width_um": self.width_um,
            "height_um": self.height_um,
        }
        for name, edit in edits.items():
            edit.valueChanged.connect(lambda value, name=name: self._set(name, value))
        self.order.activated.connect(lambda _: self._set("order", self.order.currentData()))
        self.clip.toggled.connect(lambda on: self._set("clip", on))

    def show_fields(
        self, plate: PlateGeometry | None, fov_um: tuple[float, float], offsets_um: Iterable[tuple[float, float]]
    ) -> None:
        """Draw the fields of one well; sizes in µm."""
        offsets = tuple(offsets_um)
        self.preview.show_fields(plate, fov_um, offsets)
        number = f"{len(offsets)} field" + ("s" if len(offsets) != 1 else "")
        self.words.setText(f"{number} of {fov_um[0]:.0f} × {fov_um[1]:.0f} µm" if any(fov_um) else "")

    def _set(self, name: str, value: object) -> None:
        fields = self.draft.fields
        if isinstance(fields, (GridFields, RandomFields)) and hasattr(fields, name):
            self.change(fields=dataclasses.replace(fields, **{name: value}))  # type: ignore[arg-type]

    def _choose_kind(self, _: int) -> None:
        kind = self.kind.currentData()
        if kind != _KINDS[type(self.draft.fields)] and kind in _NEW:
            self.change(fields=_NEW[kind])

    def _show(self, draft: PlanDraft) -> None:
        fields = draft.fields
        self.title.setText("Fields per well" if draft.use == "wells" else "Fields per position")
        kept = self.kind.findData("kept")
        if kept >= 0:
            self.kind.removeItem(kept)
        text = f"as in the file: {fields.text}" if isinstance(fields, Kept) else ""
        show_choice(self.kind, _KINDS[type(fields)], text)
        grid, random = isinstance(fields, GridFields), isinstance(fields, RandomFields)
        for part in (self._grid_size, self.overlap, self.order):
            self._form.show_row(part, grid)
        for part in (self.count, self._area, self.seed):
            self._form.show_row(part, random)
        self.clip.setVisible(grid or random)
        self._show_values(fields)
        self.setVisible(draft.use != "regions")

    def _show_values(self, fields: FieldsChoice) -> None:
        if isinstance(fields, GridFields):
            show_number(self.rows, fields.rows)
            show_number(self.columns, fields.columns)
            show_number(self.overlap, fields.overlap_pct)
            show_choice(self.order, fields.order, fields.order)
        if isinstance(fields, RandomFields):
            show_number(self.count, fields.count)
            show_number(self.seed, fields.seed)
            show_number(self.width_um, fields.width_um)
            show_number(self.height_um, fields.height_um)
        if isinstance(fields, (GridFields, RandomFields)):
            self.clip.setChecked(fields.clip)
