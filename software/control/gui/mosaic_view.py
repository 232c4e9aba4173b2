"""The well in work, its fields at their places, larger than on the plate; zoom, pan and grey values as everywhere."""

from __future__ import annotations

from functools import partial

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAction, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from control.core.previews import Mosaic, Previews
from control.core.rendering import Layer
from control.gui import theme
from control.gui.channel_picker import ChannelPicker, Layers
from control.gui.image_view import ImageView
from control.gui.view_transform import Placement
from squid.utils.worker_manager import WorkerManager, WorkerResult

_COPY_MS = 10_000

Copied = tuple[int, int, tuple[int, ...]]
"""Number of the run, revision of the mosaic, channels."""


class MosaicView(QWidget):
    """Shows the well in work, in the channels that are chosen.

    Parameters
    ----------
    previews : Previews
        Where it comes from.
    picker : ChannelPicker
        Which channels, and their contrast.
    manager : WorkerManager
        Copies the mosaic, which a run goes on writing to.
    """

    def __init__(self, previews: Previews, picker: ChannelPicker, manager: WorkerManager) -> None:
        super().__init__()
        self._previews, self._picker, self._manager = previews, picker, manager
        self._mosaics: dict[int, Mosaic] = {}
        self._copied: Copied = (0, 0, ())
        self._shown: Layers = ()
        self._is_copying = False
        self.view = ImageView()
        self.view.setObjectName("mosaicView")
        self.caption = QLabel("No field has been stored yet.")
        self.caption.setObjectName("mosaicCaption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_PX // 2)
        self._head = QHBoxLayout()
        self._head.addWidget(self.caption, 1)
        layout.addLayout(self._head)
        layout.addWidget(self.view, 1)

    def add_tool(self, action: QAction) -> None:
        """Put a button for an action beside the caption."""
        button = QToolButton()
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setObjectName("mosaicTool")
        self._head.addWidget(button)

    def refresh(self) -> None:
        """Show the mosaic, if it or what is chosen has changed."""
        previews, layers = self._previews, self._picker.layers()
        wanted = (previews.run_number, previews.mosaic_revision, tuple(number for number, _, _ in layers))
        if not self._is_copying and wanted[1] and layers and wanted != self._copied:
            self._copy(wanted)
        elif layers != self._shown:
            self._show_mosaics()

    def _copy(self, wanted: Copied) -> None:
        self._is_copying = True
        self._manager.submit(
            "copy the mosaic",
            partial(_copies, self._previews, wanted[2]),
            timeout_ms=_COPY_MS,
            on_complete=partial(self._take, wanted),
            on_finished=self._copying_ended,
            coalesce_key="copy the mosaic",
        )

    def _take(self, wanted: Copied, result: WorkerResult) -> None:
        self._copied, self._mosaics = wanted, result.value
        self._show_mosaics()

    def _copying_ended(self, _: WorkerResult) -> None:
        self._is_copying = False

    def _show_mosaics(self) -> None:
        """Show what was copied, in the contrast of now; only channels of the same well lie on top of one another."""
        self._shown = self._picker.layers()
        layout, first = self._previews.layout, next(iter(self._mosaics.values()), None)
        if layout is None or first is None:
            return
        layers = [
            Layer(self._mosaics[number].pixels, limits, colour, layout.channels[number].name)
            for number, limits, colour in self._shown
            if number in self._mosaics and self._mosaics[number].well == first.well
        ]
        place = Placement(first.centre_x_um, first.centre_y_um, first.pixel_um)
        self.view.show_image(layers, layout.significant_bits, place)
        wells = self._previews.wells
        of = f" ({wells.index(first.well) + 1} of {len(wells)})" if first.well in wells else ""
        self.caption.setText(f"{'Well ' if first.well.row >= 0 else ''}{first.well.name}{of}")


def _copies(previews: Previews, channels: tuple[int, ...]) -> dict[int, Mosaic]:
    """Return the mosaics of these channels that are there."""
    copies = {number: previews.mosaic(number) for number in channels}
    return {number: mosaic for number, mosaic in copies.items() if mosaic is not None}
