"""Machine files: the one that comes with the program, and every refusal by file, key, value and allowed range."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from squid.errors import MachineFileError
from squid.machine_file import CONFIGS, Role, read_machine_file, read_objectives, read_plates
from squid.microscope import Microscope

SIMULATION = CONFIGS / "simulation.yaml"


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The simulation's machine file with a change."""
    data = yaml.safe_load(SIMULATION.read_text(encoding="utf-8"))
    change(data)
    file = folder / "machine.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return file


def test_the_simulation_has_every_role_and_objective() -> None:
    config = read_machine_file(SIMULATION)
    assert all(config.label_of(role) for role in Role if role is not Role.SEQUENCER)
    assert set(config.objectives) == {"4x", "10x", "20x", "40x"}
    assert config.objective == "20x"
    for objective in config.objectives:
        channels = config.channels_of(objective)
        assert set(channels) == {"Brightfield", "DAPI", "FITC", "TRITC", "Cy5"}
        for name, preset in channels.items():
            assert (preset.emission_nm is None) is (name == "Brightfield")


def test_what_the_user_believes_of_the_simulation_is_true() -> None:
    """Pixel size, sources and filters of the machine file are those of the simulated hardware."""
    config = read_machine_file(SIMULATION)
    microscope = Microscope.build(config)
    sources = {source.name: source.wavelength_nm for source in microscope.illumination.sources}
    assert microscope.filter_wheel is not None
    assert microscope.objective_changer is not None
    assert set(microscope.objective_changer.objectives) == set(config.objectives)
    for objective in config.objectives:
        for preset in config.channels_of(objective).values():
            assert preset.excitation_nm == sources[preset.source]
            assert preset.filter in microscope.filter_wheel.filters
    world = microscope.devices["world"]
    now = world.scene(0.0, 0.0, 0.0)  # type: ignore[attr-defined]
    assert now.tube_lens_mm == config.tube_lens_mm
    assert now.objective == config.objectives[config.objective]
    assert microscope.camera._options.pixel_um == config.camera.sensor_pixel_um  # type: ignore[attr-defined]


def test_an_objectives_own_presets_go_before_the_default_ones() -> None:
    config = read_machine_file(SIMULATION)
    assert config.channels_of("4x")["DAPI"].intensity == 0.8
    assert config.channels_of("20x")["DAPI"].intensity == 0.5


def test_custom_plates_bear_their_key_as_name() -> None:
    plate = read_machine_file(SIMULATION).plates["4 chamber slide"]
    assert plate.name == "4 chamber slide"
    assert not plate.round_wells


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        (lambda d: d.update(colour="red"), "colour", "unknown key"),
        (lambda d: d["devices"]["camera"].update(rolle="camera"), "devices.camera.rolle", "unknown key"),
        (lambda d: d.pop("camera"), "camera", "missing"),
        (lambda d: d["camera"].update(sensor_pixel_um=-1), "camera.sensor_pixel_um", "-1"),
        (lambda d: d["camera"].update(pixel_format="mono13"), "camera.pixel_format", "mono13"),
        (lambda d: d["camera"]["orientation"].update(rotate_deg=45), "camera.orientation.rotate_deg", "45"),
        (lambda d: d["devices"]["stage"].pop("role"), "devices", "no device has the role stage"),
        (lambda d: d["devices"]["stage"].update(role="camera"), "devices.camera.role", "taken by stage"),
        (
            lambda d: d["devices"]["light"].update(uses={"world": "earth"}),
            "devices.light.uses.world",
            "no device 'earth'",
        ),
        (
            lambda d: d["devices"].pop("trigger_line") and d["camera"].update(trigger="hardware"),
            "camera.trigger",
            "role",
        ),
        (lambda d: d.update(objective="100x"), "objective", "20x"),
        (lambda d: d["objectives"].update({"17x": None}), "objectives.17x", "60x"),
        (lambda d: d["channels"].update({"5x": {}}), "channels.5x", "is no objective"),
        (lambda d: d["channels"]["default"]["DAPI"].update(intensity=2), "channels.default.DAPI.intensity", "2"),
        (lambda d: d["channels"]["default"]["DAPI"].update(colour="blue"), "channels.default.DAPI.colour", "blue"),
        (lambda d: d["stage_limits"]["x"].update(min_um=1e9), "stage_limits.x", "must be below"),
        (lambda d: d["plates"]["4 chamber slide"].update(rows=0), "plates.4 chamber slide.rows", "0"),
    ],
)
def test_a_wrong_file_is_refused_by_key(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], key: str, says: str
) -> None:
    file = changed(tmp_path, change)
    with pytest.raises(MachineFileError) as refusal:
        read_machine_file(file)
    assert refusal.value.file == file
    assert refusal.value.key == key
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [("- a\n- b\n", "not keys and values"), ("a: [1\n", "not valid YAML"), ("name: a\nname: b\n", "stands twice")],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "machine.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MachineFileError, match=says):
        read_machine_file(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MachineFileError, match=r"none\.yaml: cannot be read"):
        read_machine_file(tmp_path / "none.yaml")


def test_tables_of_plates_and_objectives() -> None:
    plates, objectives = read_plates(), read_objectives()
    assert {name: (plate.rows, plate.columns) for name, plate in plates.items()}["1536 well plate"] == (32, 48)
    assert plates["96 well plate"].round_wells
    assert not plates["384 well plate"].round_wells
    assert objectives["20x"].pixel_size_um(6.5, 1, 180) == pytest.approx(0.325)
