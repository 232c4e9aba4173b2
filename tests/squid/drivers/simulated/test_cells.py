"""The plate of cells: number, focus, walls, stains, objectives."""

from typing import Any

import cv2
import numpy as np
import pytest
from tests.squid.drivers.simulated.bench import TIMEOUT_S, Bench, bench

from squid.drivers.simulated.objective_changer import SimulatedObjectiveChanger
from squid.machine_file import read_plates


def nuclei(pixels: np.ndarray) -> tuple[int, np.ndarray]:
    """Number and centres (x, y) of bright blobs."""
    smooth = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 2)
    mask = (smooth > 100 + 0.3 * (smooth.max() - 100)).astype(np.uint8)
    number, _, _, centres = cv2.connectedComponentsWithStats(mask)
    return number - 1, centres[1:]


def go_to_well(on: Bench, row: int, column: int) -> None:
    well = on.world.specimen.plate_map.well(row, column)
    on.go(x_um=well.x_um, y_um=well.y_um)


def sharpness(pixels: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 1), cv2.CV_32F).std())


def test_wells_differ_in_number_of_cells_as_their_density_says() -> None:
    with bench(camera={"sensor_shape_px": (1536, 1536), "vignetting": 0}) as on:
        density: Any = on.world.specimen
        area_mm2 = (1536 * 0.325e-3) ** 2
        found = {}
        for column in range(6):
            go_to_well(on, 1, column)
            found[column], _ = nuclei(on.snap("405", 1.0))
            expected = density.density_per_mm2(1, column) * area_mm2
            assert found[column] == pytest.approx(expected, rel=0.25, abs=4 * expected**0.5)
        assert max(found.values()) > 1.5 * min(found.values())


def test_nothing_lies_outside_wells() -> None:
    with bench(camera={"sensor_shape_px": (512, 512)}) as on:
        well = on.world.specimen.plate_map.well(2, 2)
        on.go(x_um=well.x_um + 4500, y_um=well.y_um + 4500)
        assert abs(float(on.snap("405", 1.0).mean()) - 100) < 0.5
        on.go(x_um=well.x_um + 6210 / 2, y_um=well.y_um)  # half in the well, whose wall runs down the middle
        pixels = on.snap("BF", 0.05).astype(float) - 100
        assert pixels[:, -150:].mean() / pixels[:, :150].mean() == pytest.approx(0.3, abs=0.1)


def test_focus_follows_the_tilted_and_bowed_plate() -> None:
    focus = {"z_um": 3000, "tilt_x_um_per_mm": 0.5, "tilt_y_um_per_mm": -0.2, "bow_um": 5}
    with bench({"focus": focus, "specimen": {"cells_per_mm2": 1500, "well_spread": 0}}) as on:
        on.camera.set_exposure_ms(200)
        for row, column in ((0, 0), (7, 11), (3, 6)):
            go_to_well(on, row, column)
            well = on.world.specimen.plate_map.well(row, column)
            x_mm, y_mm = well.x_um / 1000 - (11.31 + 49.5), well.y_um / 1000 - (10.75 + 31.5)
            best = 3000 + 0.5 * x_mm - 0.2 * y_mm - 5 * (x_mm**2 + y_mm**2) / 60**2
            z_um = best + np.arange(-12, 13, 2.0)
            seen = []
            for z in z_um:
                on.go(z_um=float(z))
                seen.append(sharpness(on.snap("405", 1.0)))
            assert z_um[int(np.argmax(seen))] == pytest.approx(best, abs=2.01)


def test_blur_grows_with_distance_from_focus_on_both_sides() -> None:
    with bench({"specimen": {"cells_per_mm2": 1500, "well_spread": 0}}) as on:
        on.camera.set_exposure_ms(200)
        for side in (1, -1):
            seen = []
            for distance_um in (0, 1, 2, 4, 8):
                on.go(z_um=3000.0 + side * distance_um)
                seen.append(sharpness(on.snap("405", 1.0)))
            assert seen == sorted(seen, reverse=True)
            assert seen[0] > 3 * seen[-1]


def test_blur_keeps_the_light() -> None:
    with bench({"specimen": {"cells_per_mm2": 1500, "well_spread": 0}}, camera={"vignetting": 0}) as on:
        on.camera.set_exposure_ms(200)
        sharp = on.snap("405", 0.5).mean() - 100
        on.go(z_um=3006.0)
        assert on.snap("405", 0.5).mean() - 100 == pytest.approx(sharp, rel=0.1)


def test_a_low_aperture_sees_deeper() -> None:
    worse = {}
    for objective in ("10x", "20x"):
        specimen = {"cells_per_mm2": 1500, "well_spread": 0}
        with bench({"objective": objective, "specimen": specimen}, camera={"sensor_shape_px": (512, 512)}) as on:
            on.camera.set_exposure_ms(400)
            sharp = sharpness(on.snap("405", 1.0))
            on.go(z_um=3008.0)
            worse[objective] = sharp / sharpness(on.snap("405", 1.0))
    assert worse["20x"] > 1.5 * worse["10x"]


def test_stains_show_in_their_channels_only() -> None:
    """Nuclei and cytoplasm lie side by side: where one shines the other is weak."""
    with bench({"specimen": {"cells_per_mm2": 800}}, camera={"sensor_shape_px": (512, 512)}) as on:
        on.camera.set_exposure_ms(100)
        dna, body = on.snap("405", 1.0).astype(float), on.snap("561", 1.0).astype(float)
        nucleus = dna > 100 + 0.5 * (dna.max() - 100)
        ring = (body > 100 + 0.3 * (body.max() - 100)) & ~cv2.dilate(nucleus.astype(np.uint8), np.ones((9, 9))).astype(
            bool
        )
        assert dna[ring].mean() - 100 < 0.1 * (dna[nucleus].mean() - 100)
        assert body[ring].mean() > body[nucleus].mean()


def test_neighbouring_fields_show_the_same_cells_shifted() -> None:
    with bench({"specimen": {"cells_per_mm2": 900}}, camera={"sensor_shape_px": (512, 512)}) as on:
        on.camera.set_exposure_ms(200)
        start = on.stage.position()
        first = on.snap("405", 1.0)
        on.go(x_um=start.x_um + 65.0, y_um=start.y_um - 26.0)
        second = on.snap("405", 1.0, plan_index=1)
        here = on.stage.position()
        (dx, dy), response = cv2.phaseCorrelate(
            *(cv2.GaussianBlur(f.astype(np.float64), (0, 0), 1) for f in (first, second))
        )
        assert response > 0.2
        assert dx == pytest.approx(-(here.x_um - start.x_um) / 0.325, abs=0.7)
        assert dy == pytest.approx(-(here.y_um - start.y_um) / 0.325, abs=0.7)


def test_pixel_size_follows_the_turret() -> None:
    with bench({"specimen": {"cells_per_mm2": 400}}, camera={"sensor_shape_px": (1024, 1024), "vignetting": 0}) as on:
        options = SimulatedObjectiveChanger.Options.model_validate({"objectives": ["20x", "10x"]})
        turret = SimulatedObjectiveChanger.create("turret", options, {"world": on.world})
        turret.open()
        on.camera.set_exposure_ms(200)
        fine = on.snap("405", 0.5)
        turret.move_to("10x").result(TIMEOUT_S)
        coarse = on.snap("405", 0.5)
        turret.close()
    shrunk = cv2.resize(fine.astype(np.float32), (512, 512), interpolation=cv2.INTER_AREA)
    inner = coarse[256:768, 256:768].astype(np.float32)
    assert np.corrcoef(shrunk.ravel(), inner.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("plate", ["glass slide", "6 well plate", "384 well plate", "1536 well plate"])
def test_every_plate_has_cells_where_its_wells_are(plate: str) -> None:
    with bench({"plate": plate, "specimen": {"cells_per_mm2": 1500}}, camera={"sensor_shape_px": (512, 512)}) as on:
        go_to_well(on, 0, 0)
        assert nuclei(on.snap("405", 1.0))[0] >= 5


def test_the_plate_that_was_named_last_lies_on_the_stage_unless_the_machine_file_says_which() -> None:
    dense = {"specimen": {"cells_per_mm2": 1500}}
    plate = read_plates()["1536 well plate"]
    for world, is_followed in ((dense, True), ({**dense, "plate": "96 well plate"}, False)):
        with bench(world, camera={"sensor_shape_px": (512, 512)}) as on:
            on.world.plate_placed(plate)
            assert (on.world.specimen.plate_map.plate == plate) is is_followed
            if is_followed:
                go_to_well(on, 31, 47)
                assert nuclei(on.snap("405", 1.0))[0] >= 5


def test_a_turned_plate_of_ones_own() -> None:
    plate = {
        "name": "turned",
        "rows": 2,
        "columns": 3,
        "a1_x_mm": 30,
        "a1_y_mm": 30,
        "well_size_mm": 3,
        "well_spacing_mm": 10,
        "round_wells": False,
        "rotation_deg": 30,
    }
    with bench({"plate": plate, "specimen": {"cells_per_mm2": 1500, "well_spread": 0}}) as on:
        # row 1, column 2, clockwise by 30° in a frame whose y points down
        x_um = 30000 + 20000 * np.cos(np.pi / 6) - 10000 * np.sin(np.pi / 6)
        y_um = 30000 + 20000 * np.sin(np.pi / 6) + 10000 * np.cos(np.pi / 6)
        on.go(x_um=float(x_um), y_um=float(y_um))
        assert float(on.snap("405", 1.0).mean()) > 110
        on.go(x_um=50000.0, y_um=40000.0)  # where the well would be on a straight plate
        assert float(on.snap("405", 1.0).mean()) < 101
