"""A region drawn in a turned picture is the right region of the sensor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.core.live_frame import ROI_STEP_PX, CameraView, sensor_roi
from squid.models.geometry import Orientation, Roi

SENSOR_PX = (64, 96)


@settings(deadline=None)
@given(
    rotate=st.sampled_from([0, 90, 180, 270]),
    flip_x=st.booleans(),
    flip_y=st.booleans(),
    binning=st.sampled_from([1, 2]),
    data=st.data(),
)
def test_the_sensor_region_holds_what_was_drawn(
    rotate: int, flip_x: bool, flip_y: bool, binning: int, data: st.DataObject
) -> None:
    """Draw in a picture of numbered pixels, read that part of the sensor: every number that was drawn is there."""
    turn = Orientation(rotate_deg=rotate, flip_x=flip_x, flip_y=flip_y)  # type: ignore[arg-type]
    rows, columns = (side // binning for side in SENSOR_PX)
    sensor = np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns)
    view = CameraView(binning, Roi(8, 16, columns - 16, rows - 16))
    shown = turn.apply(sensor[16:, 8 : columns - 8])
    height, width = shown.shape
    x_px, y_px = data.draw(st.integers(-5, width - 1)), data.draw(st.integers(-5, height - 1))
    part = Roi(x_px, y_px, data.draw(st.integers(1, width)), data.draw(st.integers(1, height)))
    drawn = (
        shown[max(0, y_px) : y_px + part.height_px, max(0, x_px) : x_px + part.width_px]
        if (x_px + part.width_px > 0 and y_px + part.height_px > 0)
        else shown[:0]
    )
    roi = sensor_roi(turn, view, SENSOR_PX, part)
    read = sensor[roi.y_px : roi.y_px + roi.height_px, roi.x_px : roi.x_px + roi.width_px]
    assert read.shape == (roi.height_px, roi.width_px)  # inside the sensor
    assert roi.x_px % ROI_STEP_PX == roi.y_px % ROI_STEP_PX == 0
    assert np.isin(drawn, read).all()
    assert read.size <= (np.ceil(part.height_px / ROI_STEP_PX) + 1) * (np.ceil(part.width_px / ROI_STEP_PX) + 1) * (
        ROI_STEP_PX**2
    )


@pytest.mark.parametrize("part", [Roi(-50, -50, 1, 1), Roi(500, 500, 10, 10)])
def test_a_region_outside_the_picture_is_still_one_of_the_sensor(part: Roi) -> None:
    roi = sensor_roi(Orientation(), CameraView(1, Roi(0, 0, 96, 64)), SENSOR_PX, part)
    assert roi.width_px >= ROI_STEP_PX
    assert roi.height_px >= ROI_STEP_PX
    assert 0 <= roi.x_px <= 96 - roi.width_px
    assert 0 <= roi.y_px <= 64 - roi.height_px
