"""A user's own presets and plates over those of the machine file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import rig

from control.core.presets import PresetChoices, Presets, edited_text
from control.core.user_files import machine_file_of_user
from squid.errors import ConfigurationError, MachineFileError, StorageError
from squid.machine_file import CONFIGS, MachineConfig, read_machine_file
from squid.microscope import Microscope
from squid.models.channel import ChannelPreset

PLATE = {
    "name": "my slide", "rows": 2, "columns": 3, "a1_x_mm": 10.0, "a1_y_mm": 12.0,
    "well_size_mm": 5.0, "well_spacing_mm": 6.0, "round_wells": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def machine() -> MachineConfig:
    return read_machine_file(CONFIGS / "simulation.yaml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "user" / "machine.yaml"


def test_an_edit_outlives_the_program(machine: MachineConfig, file: Path) -> None:
    presets = Presets(machine, file)
    before = presets.get("20x", "DAPI")
    presets.save("20x", "DAPI", before.model_copy(update={"exposure_ms": 123.0}))
    for again in (presets, Presets(machine, file)):
        assert again.get("20x", "DAPI").exposure_ms == 123
        assert again.machine().channels_of("20x")["DAPI"].exposure_ms == 123
        assert again.get("10x", "DAPI") == machine.channels_of("10x")["DAPI"]
        assert again.is_edited("20x", "DAPI")
        assert again.edited() == (("20x", "DAPI"),)
    presets.reset("20x", "DAPI")
    assert presets.get("20x", "DAPI") == before
    assert not Presets(machine, file).edited()


def test_a_default_preset_is_edited_for_one_objective(machine: MachineConfig, file: Path) -> None:
    presets = Presets(machine, file)
    assert "20x" not in machine.channels  # it has those of `default`
    presets.save("20x", "Cy5", {"source": "638", "intensity": 0.1, "exposure_ms": 9})
    changed = presets.machine()
    assert changed.channels_of("20x")["Cy5"].intensity == 0.1
    assert changed.channels["default"] == machine.channels["default"]
    assert presets.names("20x") == tuple(machine.channels_of("20x"))


def test_the_machine_files_own_values_are_no_edit(machine: MachineConfig, file: Path) -> None:
    presets = Presets(machine, file)
    presets.save("20x", "DAPI", {"source": "405", "intensity": 0.1, "exposure_ms": 9})
    presets.save("20x", "DAPI", machine.channels_of("20x")["DAPI"])
    assert presets.edited() == ()


def test_a_channel_of_the_users_own(machine: MachineConfig, file: Path) -> None:
    presets = Presets(machine, file)
    presets.save("40x", "mCherry", {"source": "561", "intensity": 0.2, "exposure_ms": 30})
    assert presets.names("40x")[-1] == "mCherry"
    assert "mCherry" not in presets.names("20x")
    presets.reset("40x", "mCherry")
    assert "mCherry" not in presets.names("40x")
    with pytest.raises(KeyError):
        presets.get("40x", "mCherry")


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.builds(
        ChannelPreset,
        source=st.sampled_from(["405", "488"]),
        intensity=st.floats(0, 1),
        exposure_ms=st.floats(0.001, 1e4),
        filter=st.none() | st.just("quad"),
        z_offset_um=st.floats(-50, 50),
        gain=st.none() | st.floats(1, 8),
        colour=st.just("#0A1B2C"),
        excitation_nm=st.none() | st.floats(300, 900),
    )
)
def test_every_preset_is_read_as_it_was_kept(machine: MachineConfig, file: Path, preset: ChannelPreset) -> None:
    Presets(machine, file).save("20x", "DAPI", preset)
    assert Presets(machine, file).get("20x", "DAPI") == preset


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"intensity": 1.5}, "channels.20x.DAPI.intensity: 1.5: .*less than or equal to 1"),
        ({"exposure_ms": 0}, "exposure_ms: 0"),
        ({"colour": "blue"}, "colour: 'blue'"),
        ({"source": "999"}, "source: no light source '999' .*405"),
        ({"filter": "pink"}, "filter: no filter 'pink' .*quad"),
        ({"exposure_ms": 1e7}, "exposure_ms: 1e.07 ms .allowed: .* ms"),
        ({"gain": 1e7}, "gain: 1e.07"),
    ],
)
def test_what_is_refused_changes_nothing(
    machine: MachineConfig, file: Path, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    presets = Presets(machine, file)
    choices = PresetChoices.of(Microscope.build(rig.machine(tmp_path)))
    data = {**presets.get("20x", "DAPI").model_dump(), **changes}
    with pytest.raises(ConfigurationError, match=words):
        presets.save("20x", "DAPI", data, choices)
    assert presets.edited() == ()
    assert not file.exists()


def test_objectives_that_are_not_there(machine: MachineConfig, file: Path) -> None:
    presets = Presets(machine, file)
    with pytest.raises(MachineFileError, match=r"no objective '63x'.*4x, 10x"):
        presets.save("63x", "DAPI", presets.get("20x", "DAPI"))
    presets.save("40x", "DAPI", {"source": "405", "intensity": 0.1, "exposure_ms": 9})
    fewer = machine.model_copy(update={"objectives": {"20x": machine.objectives["20x"]}})
    assert Presets(fewer, file).edited() == ()  # kept for the day when it is back
    assert "40x" in Presets(machine, file).machine().channels


def test_a_damaged_file_is_named(machine: MachineConfig, file: Path) -> None:
    file.parent.mkdir()
    for text, words in (
        ("machine: [", "is not valid YAML"),
        ("machine: Simulated Squid\nchanels: {}", "chanels: unknown key"),
        ("machine: another", "machine: 'another' .allowed: Simulated Squid"),
    ):
        file.write_text(text)
        with pytest.raises(MachineFileError, match=words) as raised:
            Presets(machine, file)
        assert raised.value.file == file


def test_a_full_disk_keeps_what_was(machine: MachineConfig, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    presets = Presets(machine, file)
    presets.save("20x", "DAPI", {"source": "405", "intensity": 0.1, "exposure_ms": 9})
    text = file.read_text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        presets.save("20x", "DAPI", {"source": "405", "intensity": 0.9, "exposure_ms": 9})
    assert (file.read_text(), presets.get("20x", "DAPI").intensity) == (text, 0.1)
    assert [found.name for found in file.parent.iterdir()] == [file.name]


def test_nothing_is_kept_without_a_file(machine: MachineConfig) -> None:
    presets = Presets(machine, None)
    presets.save("20x", "DAPI", {"source": "405", "intensity": 0.1, "exposure_ms": 9})
    assert presets.get("20x", "DAPI").intensity == 0.1


def test_plates_of_ones_own(machine: MachineConfig, file: Path) -> None:
    presets = Presets(machine, file)
    presets.save_plate(PLATE)
    again = Presets(machine, file)
    assert again.plate_names()[:2] == ("my slide", "4 chamber slide")
    assert "1536 well plate" in again.plate_names()
    assert set(again.plate_names()) == set(again.plates())
    assert again.machine().plates["my slide"].columns == 3
    assert (again.is_own_plate("my slide"), again.is_own_plate("4 chamber slide")) == (True, False)
    again.remove_plate("my slide")
    assert "my slide" not in Presets(machine, file).plate_names()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "96 well plate"}, "is there already"),
        ({"name": "4 chamber slide"}, "is there already"),
        ({"name": "  "}, "has no name"),
        ({"rows": 0}, "plates.my slide.rows: 0: .*greater than 0"),
        ({"well_spacing_mm": 4.0}, "well_spacing_mm: 4 mm: wells of 5 mm would overlap .allowed: 5 mm or more"),
        ({"well_size_mm": -1}, "well_size_mm: -1"),
    ],
)
def test_a_plate_that_cannot_be(machine: MachineConfig, file: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(MachineFileError, match=words):
        Presets(machine, file).save_plate({**PLATE, **changes})
    assert not file.exists()


def test_each_machine_has_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUID_SETTINGS_FOLDER", str(tmp_path))
    files = {machine_file_of_user(name) for name in ("Rig 1", "Rig-1", "rig 1", "日本", "日木", "../etc")}
    assert len(files) == 6
    assert all(file.parent == tmp_path / "machines" for file in files)


def test_edits_in_words() -> None:
    assert edited_text([("20x", "DAPI"), ("20x", "FITC"), ("4x", "Cy5")]) == "20x: DAPI, FITC; 4x: Cy5"


def test_a_run_folder_keeps_the_machine_as_it_was_used(machine: MachineConfig, file: Path, tmp_path: Path) -> None:
    presets = Presets(machine, file)
    presets.save("20x", "DAPI", {"source": "405", "intensity": 0.1, "exposure_ms": 9})
    presets.save_plate(PLATE)
    written = tmp_path / "machine.yaml"
    written.write_text(yaml.safe_dump(presets.machine().model_dump(mode="json")))
    assert read_machine_file(written).channels_of("20x")["DAPI"].intensity == 0.1
    assert read_machine_file(written).plates["my slide"].rows == 2
