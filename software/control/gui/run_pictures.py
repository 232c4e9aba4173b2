"""Run page: what has been taken, as pictures: the plate with its thumbnails, the place in work, the last frame."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QAction, QTabWidget

from control.core.contrast import Contrast
from control.core.previews import Previews
from control.core.run_view import RunView
from control.gui.channel_picker import ChannelPicker
from control.gui.image_tools import Tool
from control.gui.image_view import ImageView
from control.gui.last_frame import LastFrameView
from control.gui.mosaic_view import MosaicView
from control.gui.run_plate import RunPlate
from control.gui.view_tools import make_switch, zoom_actions
from squid.utils.worker_manager import WorkerManager

_WELL = ("Current well", "The well that is being imaged, its fields at their places")
_POSITION = ("Current position", "The position that is being imaged")
_REGION = ("Current region", "The region that is being imaged, its fields at their places")


class RunPictures(QTabWidget):
    """A tab for each way to look; of a plan without a plate, the place in work comes first.

    Parameters
    ----------
    previews : Previews
        Where the pictures come from.
    contrast : Contrast
        Of the channels, shared with other pages.
    manager : WorkerManager
        Draws.

    Attributes
    ----------
    region_drawn : pyqtSignal(object)
        Corners (x, y) in µm of the stage.
    """

    region_drawn = pyqtSignal(object)

    def __init__(self, previews: Previews, contrast: Contrast, manager: WorkerManager) -> None:
        super().__init__()
        self.setObjectName("runTabs")
        self._previews = previews
        self._run_number = 0
        self._was_led = False
        self.picker = ChannelPicker(previews, contrast)
        self.plate = RunPlate(previews, self.picker, manager)
        self.mosaic = MosaicView(previews, self.picker, manager)
        self.last_frame = LastFrameView(previews, contrast)
        self.addTab(self.plate, "Plate")
        self.addTab(self.mosaic, _WELL[0])
        self.addTab(self.last_frame, "Last frame")
        self.setTabToolTip(0, "The plate as it fills: a thumbnail for each well")
        self.setTabToolTip(1, _WELL[1])
        self.setTabToolTip(2, "The frame that was stored last, at full size")
        self.setCornerWidget(self.picker, Qt.Corner.TopRightCorner)
        self.zoom_actions = zoom_actions(self, self._image_shown)
        self.region_action = make_switch(
            self,
            "Draw &region",
            "Ctrl+D",
            "Draw a polygon on the current well: it becomes a region of the plan on the Plan page",
            "vector-polygon",
        )
        self.mosaic.add_tool(self.region_action)
        self.region_action.toggled.connect(self._draw)
        self.mosaic.view.tool_changed.connect(self._follow_tool)
        self.mosaic.view.polygon_drawn.connect(self.region_drawn)

    def menu_actions(self) -> list[QAction | None]:
        """Return what a person can do with the pictures."""
        return [*self.zoom_actions, self.region_action]

    def refresh(self, view: RunView) -> None:
        """Show what is new, of the picture that is seen."""
        if self._run_number != self._previews.run_number:
            self._begin_run()
        shown = self.currentWidget()
        if shown is self.plate:
            self.plate.show_run(view)
        elif shown is self.mosaic:
            self.mosaic.refresh()
        else:
            self.last_frame.refresh()

    def _begin_run(self) -> None:
        """Lead to a picture that the run has; back to the plate with the next plate."""
        self._run_number = self._previews.run_number
        layout = self._previews.layout
        has_plate = layout is not None and layout.plate is not None
        is_region = layout is not None and len(layout.images) > len(self._previews.wells)
        title, tip = _WELL if has_plate else _REGION if is_region else _POSITION
        self.setTabText(1, title)
        self.setTabToolTip(1, tip)
        was_led = self._was_led
        self._was_led = not has_plate and (was_led or self.currentWidget() is self.plate)
        if self._was_led:
            self.setCurrentWidget(self.mosaic)
        self.setTabVisible(0, has_plate)
        if was_led and has_plate:
            self.setCurrentWidget(self.plate)

    def _draw(self, is_on: bool) -> None:
        if is_on:
            self.setCurrentWidget(self.mosaic)
        self.mosaic.view.set_tool(Tool.POLYGON if is_on else Tool.PAN)

    def _follow_tool(self, tool: Tool) -> None:
        self.region_action.setChecked(tool is Tool.POLYGON)

    def _image_shown(self) -> ImageView | None:
        """Return the image that the zoom is for."""
        shown = self.currentWidget()
        return next((tab.view for tab in (self.mosaic, self.last_frame) if tab is shown), None)
