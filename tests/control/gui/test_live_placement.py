from dataclasses import replace

import numpy as np
import pytest

from control.core.live import CameraView, LiveFrame
from control.gui.live_placement import placement_of, snap_name, well_outlines
from squid.models.geometry import Orientation, Roi, StagePosition
from squid.models.plate import PlateGeometry

PLATE = PlateGeometry(
    name="two", rows=2, columns=2, a1_x_mm=10, a1_y_mm=20, well_size_mm=6, well_spacing_mm=9, round_wells=True
)


def frame(roi=Roi(0, 0, 80, 64), binning=1, position=StagePosition(10000.0, 20000.0, 3000.0), channel="DAPI"):  # noqa: B008
    return LiveFrame(
        pixels=np.zeros((roi.height_px, roi.width_px), np.uint16),
        number=7,
        channel=channel,
        source="405",
        colour="#0000FF",
        exposure_ms=5.0,
        intensity=0.5,
        gain=1.0,
        objective="20x",
        position=position,
        pixel_size_um=0.5,
        view=CameraView(binning, roi),
        significant_bits=12,
        monotonic_s=1.0,
        utc_s=1.0,
    )


def test_the_whole_sensor_lies_around_the_stage_position():
    place = placement_of(frame(), Orientation(), (64, 80))
    assert (place.centre_x_um, place.centre_y_um, place.pixel_size_um) == (10000.0, 20000.0, 0.5)


@pytest.mark.parametrize(
    "orientation", [Orientation(rotate_deg=d, flip_x=x) for d in (0, 90, 180, 270) for x in (0, 1)]
)
def test_a_part_of_the_sensor_lies_where_its_pixels_do(orientation):
    """The turned whole frame is the judge: a mark in the part's middle must be found at the part's place."""
    sensor = np.zeros((64, 80), np.uint16)
    roi = Roi(8, 16, 16, 8)
    sensor[16:24, 8:24] = 1
    rows, columns = np.nonzero(orientation.apply(sensor))
    height, width = orientation.shape((64, 80))
    place = placement_of(frame(roi), orientation, (64, 80))
    assert place.centre_x_um == pytest.approx(10000 + (columns.mean() + 0.5 - width / 2) * 0.5)
    assert place.centre_y_um == pytest.approx(20000 + (rows.mean() + 0.5 - height / 2) * 0.5)


def test_binned_pixels_count():
    place = placement_of(frame(Roi(20, 0, 20, 32), binning=2), Orientation(), (64, 80))
    assert place.centre_x_um == 10000 + 10 * 0.5


def test_only_wells_in_sight_are_outlined():
    place = placement_of(frame(), Orientation(), (64, 80))
    assert [o.label for o in well_outlines(PLATE, place, (64, 80))] == ["A1"]
    far = replace(place, centre_x_um=14500.0)
    assert well_outlines(PLATE, far, (64, 80)) == []


def test_square_wells_have_four_corners_turned_with_the_plate():
    plate = PLATE.model_copy(update={"round_wells": False, "rotation_deg": 90.0})
    place = placement_of(frame(), Orientation(), (64, 80))
    (outline,) = well_outlines(plate, place, (64, 80))
    corners = {(round(x), round(y)) for x, y in outline.points_um}
    assert corners == {(7000, 17000), (13000, 17000), (13000, 23000), (7000, 23000)}


def test_a_slide_has_no_walls():
    plate = PLATE.model_copy(update={"well_size_mm": 0.0})
    assert well_outlines(plate, placement_of(frame(), Orientation(), (64, 80)), (64, 80)) == []


def test_a_file_is_named_after_well_channel_and_time():
    name = snap_name(frame(channel="BF / full"), PLATE)
    assert name.startswith(("A1_BF___full_1970-01-01_", "A1_BF___full_1969-12-31_"))
    assert name.endswith("_7.ome.tiff")
    assert snap_name(frame(), None).startswith("x10000_y20000_DAPI_")
    assert snap_name(frame(position=StagePosition(14500.0, 20000.0, 0.0)), PLATE).startswith("x14500_y20000_")
