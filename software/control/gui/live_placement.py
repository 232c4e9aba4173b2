"""Where a live frame lies: on the stage, in the plate, and in a file's name."""

from __future__ import annotations

import time

from control.core.live import LiveFrame
from control.gui.image_overlays import Outline, circle
from control.gui.view_transform import Placement
from squid.models.geometry import Orientation
from squid.models.plate import PlateGeometry


def placement_of(frame: LiveFrame, orientation: Orientation, sensor_shape_px: tuple[int, int]) -> Placement:
    """Return where a frame lies on the stage: its ROI need not be in the middle of the sensor.

    Parameters
    ----------
    frame : LiveFrame
        Its position is that of the middle of the sensor.
    orientation : Orientation
        How it was turned.
    sensor_shape_px : (int, int)
        Height and width of the whole sensor, unbinned.
    """
    roi = frame.view.roi
    height, width = (side / frame.view.binning for side in sensor_shape_px)
    right, down = roi.x_px + roi.width_px / 2 - width / 2, roi.y_px + roi.height_px / 2 - height / 2
    for _ in range(orientation.rotate_deg // 90):  # clockwise: what was right is down
        right, down = -down, right
    right, down = -right if orientation.flip_x else right, -down if orientation.flip_y else down
    pixel_um = frame.pixel_size_um
    return Placement(frame.position.x_um + right * pixel_um, frame.position.y_um + down * pixel_um, pixel_um)


def well_outlines(plate: PlateGeometry, placement: Placement, shape_px: tuple[int, int]) -> list[Outline]:
    """Return the walls of the wells that an image of that (height, width) may show."""
    height_um, width_um = (side * placement.pixel_size_um for side in shape_px)
    corners = [
        (placement.centre_x_um + across * width_um / 2, placement.centre_y_um + along * height_um / 2)
        for across in (-1, 0, 1)
        for along in (-1, 0, 1)
    ]
    wells = {well for corner in corners if (well := plate.well_at(*corner)) is not None}
    return [_outline(plate, *well) for well in sorted(wells)] if plate.well_size_mm else []


def _outline(plate: PlateGeometry, row: int, column: int) -> Outline:
    x_um, y_um = plate.well_centre_um(row, column)
    size_um, name = 1000 * plate.well_size_mm, plate.well_name(row, column)
    if plate.round_wells:
        return circle(x_um, y_um, size_um, name)
    turned = PlateGeometry(  # its first four wells are the corners
        name="corners",
        rows=2,
        columns=2,
        a1_x_mm=0,
        a1_y_mm=0,
        well_size_mm=0,
        well_spacing_mm=plate.well_size_mm,
        rotation_deg=plate.rotation_deg,
    )
    points = [turned.well_centre_um(*corner) for corner in ((0, 0), (0, 1), (1, 1), (1, 0))]
    middle_x_um, middle_y_um = (sum(axis) / 4 for axis in zip(*points, strict=True))
    return Outline(tuple((x_um + x - middle_x_um, y_um + y - middle_y_um) for x, y in points), name)


def snap_name(frame: LiveFrame, plate: PlateGeometry | None) -> str:
    """Return a file name: well (or stage position in µm), channel, local time."""
    x_um, y_um, _ = frame.position
    well = plate.well_at(x_um, y_um) if plate is not None else None
    place = plate.well_name(*well) if plate is not None and well is not None else f"x{x_um:.0f}_y{y_um:.0f}"
    moment = time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(frame.utc_s))
    channel = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in frame.channel)
    return f"{place}_{channel}_{moment}_{frame.number}.ome.tiff"
