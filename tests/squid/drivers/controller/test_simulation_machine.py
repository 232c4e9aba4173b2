"""``simulation_controller.yaml``: a simulated camera that sees what a real serial link switched and moved."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.squid.drivers.controller.bench import TIMEOUT_S

from squid.drivers.controller.light_path import mean_level
from squid.drivers.controller.virtual import VirtualLinkOptions
from squid.errors import MachineFileError
from squid.machine_file import CONFIGS, read_machine_file
from squid.microscope import Microscope
from squid.models.file import validate


def test_a_frame_is_lit_by_the_controllers_light_where_its_stage_stands(program: Path, tmp_path: Path) -> None:
    data = yaml.safe_load((CONFIGS / "simulation_controller.yaml").read_text(encoding="utf-8"))
    data["devices"]["controller"]["options"] = {"speed": 50, "program": str(program)}
    data["devices"]["camera"]["options"]["sensor_shape_px"] = [96, 128]
    file = tmp_path / "machine.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    with Microscope.build(read_machine_file(file)) as microscope:
        microscope.stage.home().result(TIMEOUT_S)
        microscope.stage.move_to(x_um=50_000, y_um=40_000, z_um=3000).result(TIMEOUT_S)
        dark = _snap(microscope)
        microscope.illumination.turn_on("BF", 1.0).result(TIMEOUT_S)
        lit = _snap(microscope)
        microscope.illumination.turn_off("BF").result(TIMEOUT_S)
        dark_again = _snap(microscope)
    assert lit > dark + 100
    assert dark_again == pytest.approx(dark, abs=5)


def _snap(microscope: Microscope) -> float:
    microscope.camera.set_exposure_ms(5.0)
    exposure = microscope.camera.trigger(0)
    assert microscope.camera_trigger is not None
    microscope.camera_trigger.pulse()
    return float(exposure.frame.result(TIMEOUT_S).pixels.mean())


def test_mean_level_weighs_by_time() -> None:
    switches = [(0.0, 0.0), (10.0, 1.0), (11.0, 0.5)]
    assert mean_level(switches, 9.0, 13.0) == pytest.approx((0 + 1 + 2 * 0.5) / 4)
    assert mean_level(switches, 10.5, 10.5) == 1.0
    assert mean_level(switches, 1.0, 2.0) == 0.0


def test_a_stock_firmware_that_nobody_had_is_refused_by_its_key() -> None:
    with pytest.raises(MachineFileError, match=r"stock: '9\.9': .*'1\.4'"):
        validate({"stock": "9.9"}, VirtualLinkOptions, MachineFileError, file=None)
