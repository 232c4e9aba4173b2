"""Building, opening and closing a microscope."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from squid.abc.camera import PixelFormat
from squid.errors import ConfigurationError, DeviceError, MachineFileError
from squid.machine_file import CONFIGS, MachineConfig, read_machine_file
from squid.microscope import Microscope
from squid.models.geometry import Roi


def machine(folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> MachineConfig:
    """The simulation with a small sensor, and a change."""
    data = yaml.safe_load((CONFIGS / "simulation.yaml").read_text(encoding="utf-8"))
    data["devices"]["camera"]["options"]["sensor_shape_px"] = [64, 96]
    change(data)
    file = folder / "machine.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return read_machine_file(file)


def test_devices_open_after_those_they_use_and_close_before_them(tmp_path: Path) -> None:
    microscope = Microscope.build(machine(tmp_path))
    labels = list(microscope.devices)
    assert labels.index("world") < labels.index("stage")
    assert labels.index("camera") < labels.index("trigger_line")
    with microscope:
        assert all(device.is_open for device in microscope.devices.values())
    assert not any(device.is_open for device in microscope.devices.values())
    microscope.close()


def test_the_camera_is_set_as_the_file_says(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["camera"] |= {
            "binning": 2,
            "pixel_format": "mono16",
            "roi_px": [20, 10],
            "orientation": {"rotate_deg": 90},
        }

    with Microscope.build(machine(tmp_path, change)) as microscope:
        assert microscope.camera.binning == 2
        assert microscope.camera.pixel_format is PixelFormat.MONO16
        assert microscope.camera.roi == Roi(14, 11, 20, 10)
        assert microscope.stored_shape_px == (20, 10)
        assert microscope.pixel_size_um("20x") == pytest.approx(0.65)


def test_what_runs_get_of_the_camera_stays_while_live_view_uses_it_otherwise(tmp_path: Path) -> None:
    with Microscope.build(machine(tmp_path)) as microscope:
        runs, shape_px = microscope.camera_for_runs, microscope.stored_shape_px
        microscope.camera.set_binning(2)
        microscope.camera.set_pixel_format(PixelFormat.MONO8)
        microscope.camera.set_roi(Roi(0, 0, 8, 8))
        assert microscope.camera_for_runs == runs
        assert microscope.camera_for_runs.readout_ms == runs.readout_ms > microscope.camera.readout_ms
        assert microscope.stored_shape_px == shape_px


def test_nothing_moves_and_no_light_goes_on_at_opening(tmp_path: Path) -> None:
    microscope = Microscope.build(machine(tmp_path))
    with microscope:
        assert not microscope.stage.is_moving
        assert microscope.illumination.lit == ()
        assert microscope.objective == "20x"


def test_the_stage_is_restricted_to_the_files_limits(tmp_path: Path) -> None:
    with Microscope.build(machine(tmp_path)) as microscope:
        assert microscope.stage.limits.z.max_um == 6000
        with pytest.raises(DeviceError, match="z_um"):
            microscope.stage.move_to(z_um=6100)


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    microscope = Microscope.build(machine(tmp_path))
    with (
        microscope.reserve("run 1"),
        pytest.raises(DeviceError, match="in use by run 1"),
        microscope.reserve("live"),
    ):
        pass
    with microscope.reserve("live"):
        pass


def test_a_device_that_does_not_open_closes_the_others(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["devices"]["world"]["options"]["specimen"] = {"images": str(tmp_path / "nothing")}

    microscope = Microscope.build(machine(tmp_path, change))
    with pytest.raises(ConfigurationError, match="no folder"):
        microscope.open()
    assert not any(device.is_open for device in microscope.devices.values())


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        (lambda d: d["light"].update(driver="acme.lamp"), "devices.light.driver", "simulated.illumination"),
        (lambda d: d["light"]["options"].update(wattage=3), "devices.light.options.wattage", "unknown key"),
        (lambda d: d["light"]["options"].update(on_latency_ms=-1), "devices.light.options.on_latency_ms", "-1"),
        (lambda d: d["light"].update(uses={}), "devices.light.uses", "world"),
        (lambda d: d["light"].update(uses={"world": "stage"}), "devices.light.uses.world", "SimulatedWorld"),
        (lambda d: d["light"].update(driver="simulated.stage", options={}), "devices.light.role", "illumination"),
        (lambda d: d["world"].update(uses={"world": "light"}), "devices.world", "circle"),
        (
            lambda d: d["world"]["options"].update(faults=["camera.sneeze@frame=1"]),
            "devices.world.options.faults",
            "hang",
        ),
        (lambda d: d["world"]["options"].update(plate="7 well plate"), "plate", "96 well plate"),
        (lambda d: d["world"]["options"].update(objective="3x"), "objective", "20x"),
        (lambda d: d["world"]["options"].update(specimen={"cels_per_mm2": 3}), "specimen", "cels_per_mm2"),
        (lambda d: d["turret"]["options"].update(objectives=["20x", "3x"]), "turret", "3x"),
    ],
)
def test_a_wrong_device_is_refused_by_key(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], key: str, says: str
) -> None:
    config = machine(tmp_path, lambda data: change(data["devices"]))
    with pytest.raises(ConfigurationError) as refusal:
        Microscope.build(config, tmp_path / "machine.yaml")
    assert key in str(refusal.value.key)
    assert says in str(refusal.value)


def test_limits_without_any_travel_are_refused(tmp_path: Path) -> None:
    config = machine(tmp_path, lambda data: data["stage_limits"].update(z={"min_um": 7000, "max_um": 8000}))
    with pytest.raises(MachineFileError, match="no travel"):
        Microscope.build(config)
