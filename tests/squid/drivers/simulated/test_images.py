"""A folder of images as the specimen: wells, channels, size and orientation, asserted on pixels."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.squid.drivers.simulated.bench import TIMEOUT_S, bench

from squid.errors import ConfigurationError, DeviceError
from squid.models.geometry import Orientation

CELLS = Path("../shared/data/human_cells")
SOURCES = {"0": "405", "1": "561", "2": "488"}
PIXEL_UM = 0.65  # two camera pixels of 0.325 µm

pytestmark = pytest.mark.skipif(not CELLS.is_dir(), reason="the images of human cells are not beside the repository")


def original(channel: str) -> np.ndarray:
    path = next(path for path in CELLS.iterdir() if path.name.endswith(f"D03f00d{channel}.tif"))
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float32)


def specimen(**options: object) -> dict[str, object]:
    return {"specimen": {"images": str(CELLS), "pixel_um": PIXEL_UM, "channels": SOURCES, **options}}


def agreement(pixels: np.ndarray, image: np.ndarray) -> float:
    """Correlation of the middle 1024 x 1024 camera pixels with an image."""
    top, left = (pixels.shape[0] - 1024) // 2, (pixels.shape[1] - 1024) // 2
    shrunk = cv2.resize(
        pixels[top : top + 1024, left : left + 1024].astype(np.float32), (512, 512), interpolation=cv2.INTER_AREA
    )
    return float(np.corrcoef(shrunk.ravel(), image.ravel())[0, 1])


def detail(pixels: np.ndarray) -> float:
    """Contrast of structures of a few pixels, larger than the noise."""
    return float(cv2.Laplacian(cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 3), cv2.CV_32F).std())


@pytest.mark.parametrize(
    ("mounting", "orientation"),
    [
        ({}, {}),
        ({"rotate_deg": 90}, {"rotate_deg": 270}),
        ({"rotate_deg": 90, "flip_x": True}, {"rotate_deg": 270, "flip_y": True}),
        ({"flip_y": True}, {"flip_y": True}),
    ],
)
def test_cells_lie_in_their_well_and_channel_upright(
    mounting: dict[str, object], orientation: dict[str, object]
) -> None:
    shape = (1100, 1200)
    with bench(specimen(), camera={"sensor_shape_px": shape, "mounting": mounting, "vignetting": 0}) as on:
        on.camera.set_exposure_ms(100)
        well = on.world.specimen.plate_map.well(3, 2)  # D03
        on.go(x_um=well.x_um, y_um=well.y_um)
        for channel, source in SOURCES.items():
            seen = Orientation.model_validate(orientation).apply(on.snap(source, 1.0))
            scores = {other: agreement(seen, original(other)) for other in SOURCES}
            assert scores[channel] > 0.95
            assert max(scores, key=lambda other: scores[other]) == channel
            for wrong in (seen[::-1], seen[:, ::-1], seen[::-1, ::-1]):
                assert agreement(wrong, original(channel)) < 0.7


def test_the_shift_of_the_stage_shifts_the_cells() -> None:
    with bench(specimen(), camera={"sensor_shape_px": (1024, 1024), "vignetting": 0}) as on:
        on.camera.set_exposure_ms(100)
        well = on.world.specimen.plate_map.well(3, 2)
        on.go(x_um=well.x_um + 65.0, y_um=well.y_um)
        seen = on.snap("405", 1.0)
        here = on.stage.position()
    offset_um = here.x_um - well.x_um
    shift = np.array([[1, 0, -offset_um / PIXEL_UM], [0, 1, 0]])
    moved = cv2.warpAffine(original("0"), shift, (512, 512), borderMode=cv2.BORDER_CONSTANT)
    assert agreement(seen, moved) > 0.93
    assert agreement(seen, original("0")) < 0.7


def test_other_wells_are_empty_unless_asked_for() -> None:
    for everywhere in (False, True):
        with bench(specimen(everywhere=everywhere), camera={"sensor_shape_px": (1024, 1024), "vignetting": 0}) as on:
            on.camera.set_exposure_ms(100)
            seen = on.snap("405", 1.0)
            assert (agreement(seen, original("0")) > 0.95) is everywhere


def test_defocus_blurs_the_images() -> None:
    with bench(specimen(everywhere=True), camera={"sensor_shape_px": (1024, 1024)}) as on:
        on.camera.set_exposure_ms(100)
        sharp = detail(on.snap("405", 1.0))
        on.go(z_um=3020.0)
        assert detail(on.snap("405", 1.0)) < 0.5 * sharp


def test_several_fields_lie_side_by_side(tmp_path: Path) -> None:
    for field in range(3):
        cv2.imwrite(str(tmp_path / f"A01_f{field}_c1.png"), np.full((100, 100), 80 * (field + 1), np.uint8))
    pattern = r"(?P<well>[A-Z]\d+)_f(?P<field>\d)_c(?P<channel>\d)"
    images = {"images": str(tmp_path), "pattern": pattern, "pixel_um": 1.0, "channels": {"1": "488"}}
    with bench({"specimen": images}, camera={"sensor_shape_px": (32, 32)}) as on:
        well = on.world.specimen.plate_map.well(0, 0)
        levels = []
        for dx, dy in ((0, 0), (100, 0), (100, 100), (-100, 0)):
            on.go(x_um=well.x_um + dx, y_um=well.y_um + dy)
            levels.append(float(on.snap("488", 0.5).mean()))
        assert levels[0] < levels[1] < levels[2]
        assert levels[3] < levels[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": "no/such/folder"}, "no folder"),
        ({"images": str(CELLS), "pattern": r"x(?P<channel>\d)x"}, "fits"),
    ],
)
def test_a_useless_folder_is_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message), bench({"specimen": options}):
        pass


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "A01f00d0.tif").write_bytes(b"no image")
    with pytest.raises(ConfigurationError, match=r"A01f00d0\.tif"), bench({"specimen": {"images": str(tmp_path)}}):
        pass


def test_frames_fail_only_by_their_own_future() -> None:
    """The specimen is read when the world opens; what goes wrong later reaches the receiver of the frame."""
    with bench(specimen()) as on:
        on.world.specimen.look = lambda *_, **__: 1 / 0  # type: ignore[method-assign]
        on.light.turn_on("405", 1.0).result(TIMEOUT_S)
        with pytest.raises(DeviceError, match="could not make a frame"):
            on.frame()
