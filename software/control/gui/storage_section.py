"""Plan page: the run's name, and where and how its images are stored."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QLineEdit, QPushButton

from control.core.planning import PlanDraft
from control.gui.parts import faint_label, icon, press_action
from control.gui.plan_section import Form, PlanSection, choices, row, show_choice, show_text

_FORMATS = (
    ("OME-Zarr: one plate", "ome-zarr"),
    ("OME-TIFF: a file per field", "ome-tiff"),
    ("TIFF: a file per frame", "tiff"),
    ("memory only, for trials", "memory"),
    ("nothing, for trials", "null"),
)
_COMPRESSIONS = (("lz4: fast", "lz4"), ("zstd: smaller", "zstd"), ("none", "none"))


class StorageSection(PlanSection):
    """Name, folder, format, compression.

    Attributes
    ----------
    folder_changed : pyqtSignal()
        Another output folder was chosen; it belongs to this computer, not to the plan.
    """

    folder_changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__("Storage")
        self.name = QLineEdit()
        self.name.setObjectName("planName")
        self.name.setMaxLength(100)
        self.name.setToolTip("Name of the run; its folder is called so, with date and time")
        self.folder_edit = QLineEdit()
        self.folder_edit.setObjectName("outputFolder")
        self.folder_edit.setPlaceholderText("choose a folder")
        self.folder_edit.setToolTip("The run makes a folder of its own in this one")
        self.browse = QPushButton()
        self.browse.setObjectName("browseOutput")
        self.browse.setIcon(icon("folder-open-outline"))
        self.browse.setToolTip("Choose the output folder")
        self.browse_action = press_action(self.browse, "Output &folder…", "Ctrl+Shift+Y", "folder-open-outline")
        self.format = choices("storageFormat", _FORMATS, "How the images are stored")
        self.compression = choices("storageCompression", _COMPRESSIONS, "Without loss; none is rarely faster")
        self.warning = faint_label("Nothing will be kept on disk.")
        self.warning.setProperty("role", "note")
        lines = Form()
        lines.add("Name", self.name)
        lines.add("Folder", row(self.folder_edit, self.browse))
        lines.add("Format", self.format)
        lines.add("Compression", self.compression)
        self.body.addLayout(lines)
        self.body.addWidget(self.warning)
        self._connect()

    def _connect(self) -> None:
        self.name.editingFinished.connect(self._rename)
        self.folder_edit.editingFinished.connect(self.folder_changed)
        self.browse.clicked.connect(self._browse)
        self.format.activated.connect(lambda _: self.change(storage_format=self.format.currentData()))
        self.compression.activated.connect(lambda _: self.change(compression=self.compression.currentData()))

    @property
    def folder(self) -> Path | None:
        """The output folder; None: none is chosen."""
        text = self.folder_edit.text().strip()
        return Path(text).expanduser() if text else None

    def set_folder(self, folder: Path | None) -> None:
        """Show an output folder."""
        show_text(self.folder_edit, str(folder) if folder is not None else "")
        self.folder_changed.emit()

    def _rename(self) -> None:
        name = self.name.text().strip()
        if name:
            self.change(name=name)
        else:
            self.show_draft(self.draft)

    def _browse(self) -> None:
        dialog = QFileDialog(self, "Output folder", self.folder_edit.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: self.set_folder(Path(folder)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show(self, draft: PlanDraft) -> None:
        show_text(self.name, draft.name)
        show_choice(self.format, draft.storage_format, draft.storage_format)
        show_choice(self.compression, draft.compression, draft.compression)
        self.warning.setVisible(draft.storage_format in ("memory", "null"))
