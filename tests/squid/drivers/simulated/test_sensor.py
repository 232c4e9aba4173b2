"""Noise, conversion, vignetting and mounting: physics of the pixels."""

import subprocess
import sys

import numpy as np
import pytest
from tests.squid.drivers.simulated.bench import EMPTY, bench

from squid.models.geometry import Orientation, Roi

COUNTS_PER_E = 4095 * (1 - 100 / 4095) / 10000
READ_NOISE_E = 1.6


@pytest.mark.parametrize("intensity", [0.0, 1e-5, 1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("binning", [1, 2])
def test_photon_transfer_curve(intensity: float, binning: int) -> None:
    """Variance of the difference of two frames is that of Poisson light and read noise (Janesick 2001)."""
    with bench({"specimen": EMPTY}, camera={"sensor_shape_px": (512, 512), "vignetting": 0}) as on:
        on.camera.set_binning(binning)
        on.camera.set_pixel_format(on.camera.pixel_formats[-1])
        counts_per_e = COUNTS_PER_E * 65535 / 4095
        first, second = (on.snap("BF", intensity, index).astype(float) for index in (1, 2))
        electrons = (first.mean() - 65535 * 100 / 4095) / counts_per_e
        variance_e2 = (first - second).var() / 2 / counts_per_e**2
        expected_e2 = max(electrons, 0) + (READ_NOISE_E * binning) ** 2
        assert variance_e2 == pytest.approx(expected_e2, rel=0.05)


def test_mean_light_is_proportional_to_intensity_and_exposure() -> None:
    with bench({"specimen": EMPTY}, camera={"vignetting": 0}) as on:
        on.camera.set_pixel_format(on.camera.pixel_formats[-1])
        offset = 65535 * 100 / 4095
        one = on.snap("BF", 0.001).mean() - offset
        assert on.snap("BF", 0.003).mean() - offset == pytest.approx(3 * one, rel=0.01)
        on.camera.set_exposure_ms(60)
        assert on.snap("BF", 0.001).mean() - offset == pytest.approx(3 * one, rel=0.01)


def test_vignetting_darkens_the_corners() -> None:
    with bench({"specimen": EMPTY}, camera={"vignetting": 0.4}) as on:
        pixels = on.snap("BF", 0.02).astype(float) - 100
        centre = pixels[118:138, 118:138].mean()
        for corner in (pixels[:6, :6], pixels[:6, -6:], pixels[-6:, :6], pixels[-6:, -6:]):
            assert corner.mean() / centre == pytest.approx(0.6, abs=0.04)
        assert pixels[:6, 118:138].mean() / centre == pytest.approx(0.6**0.5, abs=0.04)


def test_a_region_of_interest_is_a_part_of_the_frame() -> None:
    with bench({"specimen": {"cells_per_mm2": 2000}}) as on:
        on.camera.set_exposure_ms(200)
        whole = on.snap("405", 1.0).astype(float)
        on.camera.set_roi(Roi(40, 90, 120, 60))
        part = on.snap("405", 1.0).astype(float)
        assert np.corrcoef(part.ravel(), whole[90:150, 40:160].ravel())[0, 1] > 0.9


@pytest.mark.parametrize("rotate_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("flip_x", [False, True])
@pytest.mark.parametrize("flip_y", [False, True])
def test_orientation_undoes_every_mounting(rotate_deg: int, flip_x: bool, flip_y: bool) -> None:
    upright, turned = (
        _cells_seen({"rotate_deg": 0}),
        _cells_seen({"rotate_deg": rotate_deg, "flip_x": flip_x, "flip_y": flip_y}),
    )
    swapped = rotate_deg in (90, 270)  # undoing turns back after mirroring: mirrors change places
    undo = Orientation.model_validate(
        {
            "rotate_deg": (360 - rotate_deg) % 360,
            "flip_x": flip_y if swapped else flip_x,
            "flip_y": flip_x if swapped else flip_y,
        }
    )
    restored = undo.apply(turned)
    assert np.corrcoef(restored.ravel().astype(float), upright.ravel().astype(float))[0, 1] > 0.97


def _cells_seen(mounting: dict[str, object]) -> np.ndarray:
    with bench({"specimen": {"cells_per_mm2": 2000}}, camera={"mounting": mounting, "vignetting": 0}) as on:
        on.camera.set_exposure_ms(400)
        return on.snap("405", 1.0)


def test_a_frame_depends_on_seed_and_index_alone() -> None:
    frames = {}
    for seed in (1, 2):
        with bench({"seed": seed}) as on:
            for index in (5, 6, 5):
                pixels = on.snap("405", plan_index=index)
                assert np.array_equal(frames.setdefault((seed, index), pixels), pixels)
    assert len({frame.tobytes() for frame in frames.values()}) == 4


_SCRIPT = """
import hashlib
from tests.squid.drivers.simulated.bench import bench
with bench({"focus": {}, "specimen": {"cells_per_mm2": 1500}}, camera={"sensor_shape_px": (300, 400)}) as on:
    for index, place in enumerate(((11310, 10750), (20310, 19750))):
        on.go(x_um=place[0], y_um=place[1], z_um=3002)
        for source, intensity in (("405", 0.5), ("638", 0.5), ("BF", 0.02)):
            print(hashlib.sha256(on.snap(source, intensity, index).tobytes()).hexdigest())
"""


def test_every_process_sees_the_same() -> None:
    command = [sys.executable, "-c", "import sys; sys.path[:0] = ['software', '.']\n" + _SCRIPT]
    outputs = [subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout for _ in range(2)]
    assert len(set(outputs[0].split())) == 6
    assert outputs[0] == outputs[1]


def test_the_largest_sensor_works() -> None:
    with bench(camera={"sensor_shape_px": (4168, 4168)}) as on:
        pixels = on.snap("405")
        assert pixels.shape == (4168, 4168)
        assert pixels.max() > 200
