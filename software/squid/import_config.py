"""``configuration_*.ini`` of an existing Squid -> a machine file, and every key that was not understood.

Pure: reads one file and returns text. What this program's machine file has no word for is listed, never guessed.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from squid.errors import ConfigurationError
from squid.machine_file import read_objectives

ValueT = TypeVar("ValueT")

_LASERS: Final = {"405": "D1", "488": "D2", "561": "D3", "638": "D4", "730": "D5"}
_EXCITATION_COLOURS: Final = {
    "405": "#3F7FFF",
    "488": "#00FF00",
    "561": "#FFCC00",
    "638": "#FF0000",
    "730": "#B000B0",
}
_NEUTRAL: Final = {
    "version": None,
    "stage_movement_sign_theta": None,
    "controller_version": "Teensy",
    "inverted_objective": True,
    "has_objective_piezo": None,
    **{f"{key}_{axis}": False for key in ("use_encoder", "has_encoder", "enable_pid") for axis in "xyz"},
    **{f"homing_enabled_{axis}": True for axis in "xyz"},
    **{f"fullsteps_per_rev_{axis}": 200 for axis in "xyz"},
}
"""Keys of [GENERAL] that need no word in a machine file while they have this value (None: any)."""

_NEUTRAL_GAINS: Final = {"refdiv": False, **{f"channel{number}_gain": False for number in range(7)}}
"""The same for [OUTPUT_GAINS]: what the firmware starts with."""

_PIXELS_UM: Final = {
    "MER2-1220-32U3M": 1.85,
    "MER2-630-60U3M": 2.4,
    "BFS-U3-63S4M-C": 2.4,
    "ITR3CMOS26000KMA": 3.76,
    "ITR3CMOS26000KPA": 3.76,
    "ITR3CMOS09000KMA": 3.76,
    "C15440-20UP": 6.5,
    "C14440-20UP": 6.5,
}
"""Pixel pitch of camera models, from their makers' data sheets."""

_HEAD: Final = """\
# Converted from {name}. Before the first run:
# - put the driver of your camera in place of the simulated one;
# - check camera.sensor_pixel_um: {pixel};
# - check the wavelengths of the light sources, and the channels;
# - a stage, light or filter wheel that is not on the Squid controller needs its own driver here.
# Keys of {name} that were not understood:
{missing}
"""


class _Reader:
    """The values of the file; remembers which were asked for."""

    def __init__(self, parser: configparser.ConfigParser) -> None:
        self.pixel_is_a_guess = False
        self.left = {
            (section, key): text
            for section in parser.sections()
            for key, text in parser.items(section)
            if not (key.startswith("_") and key.endswith("_options"))
        }

    def take(self, section: str, key: str, convert: Callable[[Any], ValueT], default: ValueT) -> ValueT:
        """Return a converted value, or the default; a value that cannot be converted stays among what is left."""
        text = self.left.get((section, key))
        if text is None:
            return default
        try:
            value = convert(_parse(text))
        except (ValueError, TypeError, KeyError):
            return default
        del self.left[section, key]
        return value

    def take_first(
        self, places: Sequence[tuple[str, str]], convert: Callable[[Any], ValueT], default: ValueT
    ) -> ValueT:
        """Return the value of the first place that has one: keys moved between versions of the program."""
        for section, key in places:
            if (section, key) in self.left:
                return self.take(section, key, convert, default)
        return default


def convert(ini_path: Path) -> tuple[str, list[str]]:
    """Convert a configuration file.

    Parameters
    ----------
    ini_path : Path
        The ``configuration_*.ini`` of the existing program.

    Returns
    -------
    yaml_text : str
        A machine file.
    not_understood : list of str
        ``section.key = value`` of everything that has no counterpart, in the file's order.

    Raises
    ------
    ConfigurationError
        It cannot be read, or is no such file.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(ini_path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error) as e:
        raise ConfigurationError(f"cannot be read: {e}", file=ini_path) from e
    if not parser.has_section("GENERAL"):
        raise ConfigurationError("has no section [GENERAL]", file=ini_path, allowed="a Squid configuration_*.ini")
    reader = _Reader(parser)
    machine = _machine(reader, ini_path.stem.removeprefix("configuration_"))
    for section, table in (("GENERAL", _NEUTRAL), ("OUTPUT_GAINS", _NEUTRAL_GAINS)):
        for key, neutral in table.items():
            reader.take(section, key, _only(neutral), None)
    missing = [f"{section}.{key} = {text}" for (section, key), text in reader.left.items()]
    listed = "\n".join(f"#   {line}" for line in missing) or "#   none"
    pixel = "the file does not say, this is a guess" if reader.pixel_is_a_guess else "it follows from the file"
    text = yaml.dump(machine, Dumper=_Plain, sort_keys=False, allow_unicode=True)
    return _HEAD.format(name=ini_path.name, missing=listed, pixel=pixel) + text, missing


class _Plain(yaml.SafeDumper):
    """Writes a value that stands twice twice, without YAML's anchors: people edit the file."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never use one."""
        return True


def _parse(text: str) -> Any:
    """Read a value as the existing program does: JSON where it is JSON, else Python's words, else text."""
    words = {"none": None, "true": True, "false": False}
    if text.strip().lower() in words:
        return words[text.strip().lower()]
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text.strip()


def _only(neutral: Any) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if neutral is not None and value != neutral:
            raise ValueError(value)

    return check


def _machine(reader: _Reader, name: str) -> dict[str, Any]:
    link: dict[str, Any] = {}
    serial_number = reader.take("GENERAL", "controller_sn", lambda v: None if v is None else str(v), None)
    if serial_number is not None:
        link["serial_number"] = serial_number
    uses = {"uses": {"link": "controller"}}
    objective = reader.take("GENERAL", "default_objective", lambda v: _known(v, read_objectives()), "20x")
    devices = {
        "controller": {"driver": "controller.link", "options": link},
        "stage": {"driver": "controller.stage", "role": "stage", **uses, "options": _stage(reader)},
        "light": {"driver": "controller.illumination", "role": "illumination", **uses, "options": _light(reader)},
        "trigger_line": {"driver": "controller.camera_trigger", "role": "camera_trigger", **uses},
        "world": {"driver": "simulated.world"},
        "camera": {"driver": "simulated.camera", "role": "camera", "uses": {"world": "world"}},
    }
    return {
        "name": name,
        "devices": devices,
        "camera": _camera(reader),
        "tube_lens_mm": reader.take("GENERAL", "tube_lens_mm", float, 180.0),
        "objectives": {objective: None},
        "objective": objective,
        "channels": {"default": _channels()},
    }


def _known(value: Any, known: Any) -> str:
    if value not in known:
        raise KeyError(value)
    return str(value)


def _stage(reader: _Reader) -> dict[str, Any]:
    options: dict[str, Any] = {axis: _axis(reader, axis) for axis in "xyz"}
    options |= {"clear_y_um": 20000.0, "clear_x_um": 50000.0}  # what the existing program does before homing x and y
    mode = reader.take("Z_STAGE_CONFIG", "z_stage_mode", lambda v: _known(v, ("stepper_only", "stepper_and_piezo")), "")
    motor_at = [("GENERAL", "z_motor_config"), ("Z_STAGE_CONFIG", "z_motor_config")]
    motor = reader.take_first(motor_at, lambda v: _known(v, ("STEPPER", "STEPPER + PIEZO")), "")
    seven_is_5_v = reader.take("OUTPUT_GAINS", "channel7_gain", bool, True)
    if "stepper_and_piezo" in mode or "PIEZO" in motor:
        volts = reader.take(
            "GENERAL", "objective_piezo_control_voltage_range", _piezo_volts, 5.0 if seven_is_5_v else 2.5
        )
        options["piezo"] = {
            "range_um": reader.take("GENERAL", "objective_piezo_range_um", float, 300.0),
            "inverted": reader.take("GENERAL", "objective_piezo_flip_dir", bool, False),
            "five_volts": volts == 5.0,
        }
    return options


def _piezo_volts(value: Any) -> float:
    if value not in (2.5, 5):
        raise ValueError(value)
    return float(value)


def _axis(reader: _Reader, axis: str) -> dict[str, Any]:
    is_z = axis == "z"

    def general(key: str, convert: Callable[[Any], ValueT], default: ValueT) -> ValueT:
        return reader.take("GENERAL", key, convert, default)

    direction = general(f"stage_movement_sign_{axis}", _sign, -1 if axis != "y" else 1)
    general(f"stage_pos_sign_{axis}", _only(direction), None)
    low, high = (0.05, 7.0) if is_z else (-0.5, 56.0)
    return {
        "pitch_mm": general(f"screw_pitch_{axis}_mm", float, 0.3048 if is_z else 1.0),
        "microsteps": general(f"microstepping_default_{axis}", int, 8),
        "direction": direction,
        "speed_mm_s": general(f"max_velocity_{axis}_mm", float, 2.0 if is_z else 25.0),
        "acceleration_mm_s2": general(f"max_acceleration_{axis}_mm", float, 20.0 if is_z else 500.0),
        "current_ma": general(f"{axis}_motor_rms_current_ma", int, 490),
        "hold_fraction": general(f"{axis}_motor_i_hold", float, 0.5),
        "home_margin_um": 100 if is_z else 50,
        "settle_ms": general(f"scan_stabilization_time_ms_{axis}", float, 20.0 if is_z else 160.0),
        "tolerance_um": 0.2 if is_z else 1.0,
        "backlash_um": 5.0 if is_z else 0.0,  # what the existing program takes up
        "travel": {
            "min_um": 1000 * reader.take("SOFTWARE_POS_LIMIT", f"{axis}_negative", float, low),
            "max_um": 1000 * reader.take("SOFTWARE_POS_LIMIT", f"{axis}_positive", float, high),
        },
    }


def _sign(value: Any) -> int:
    if value not in (1, -1):
        raise ValueError(value)
    return int(value)


def _light(reader: _Reader) -> dict[str, Any]:
    factors = [reader.take("GENERAL", f"led_matrix_{c}_factor", float, 1.0 if c == "b" else 0.0) for c in "rgb"]
    colour = [round(factor / max(1.0, *factors), 4) for factor in factors]  # factors above 1 keep their proportion
    lasers = {name: {"port": port, "wavelength_nm": float(name)} for name, port in _LASERS.items()}
    matrix = {name: {"pattern": name, "colour": colour} for name in ("full", "left_half", "right_half", "low_na")}
    factor = reader.take("GENERAL", "illumination_intensity_factor", float, 0.6)
    return {"sources": lasers | matrix, "intensity_factor": factor}


def _camera(reader: _Reader) -> dict[str, Any]:
    def either(key: str, convert: Callable[[Any], ValueT], default: ValueT, old: str | None = None) -> ValueT:
        return reader.take_first([("CAMERA_CONFIG", key), ("GENERAL", old or key)], convert, default)

    formats = ("mono8", "mono12", "mono16")
    camera: dict[str, Any] = {
        "sensor_pixel_um": _sensor_pixel_um(reader),
        "orientation": {
            "rotate_deg": either("rotate_image_angle", _rotation, 0),
            **either("flip_image", lambda v: _FLIPS[v], {}),
        },
        "binning": reader.take("CAMERA_CONFIG", "binning_factor_default", int, 2),
        "pixel_format": either(
            "pixel_format_default", lambda v: _known(v.lower(), formats), "mono12", "default_pixel_format"
        ),
    }
    size = [
        reader.take_first(
            [("CAMERA_CONFIG", f"crop_{side}_unbinned"), ("CAMERA_CONFIG", f"camera_crop_{side}")], _size, None
        )
        for side in ("width", "height")
    ]
    if None not in size:
        camera["roi_px"] = [side // camera["binning"] for side in size if side is not None]
    return camera


def _sensor_pixel_um(reader: _Reader) -> float:
    sensor = str(reader.take("GENERAL", "camera_sensor", str, ""))
    pixel_um = reader.take("GENERAL", "camera_pixel_size_um", lambda sizes: float(sizes[sensor]), None)
    if pixel_um is None:
        pixel_um = reader.take("GENERAL", "main_camera_model", lambda model: _PIXELS_UM[model], None)
    reader.pixel_is_a_guess = pixel_um is None
    return 1.85 if pixel_um is None else pixel_um


_FLIPS: Final[dict[Any, dict[str, bool]]] = {
    None: {},
    "Vertical": {"flip_y": True},
    "Horizontal": {"flip_x": True},
    "Both": {"flip_x": True, "flip_y": True},
}


def _rotation(value: Any) -> int:
    degrees = int(value or 0) % 360
    if degrees not in (0, 90, 180, 270):
        raise ValueError(value)
    return degrees


def _size(value: Any) -> int | None:
    return None if value is None else int(value)


def _channels() -> dict[str, Any]:
    fluorescence = {
        f"Fluorescence {name} nm Ex": {
            "source": name,
            "intensity": 0.2,
            "exposure_ms": 100.0,
            "colour": colour,
            "excitation_nm": float(name),
        }
        for name, colour in _EXCITATION_COLOURS.items()
    }
    return {"BF LED matrix full": {"source": "full", "intensity": 0.2, "exposure_ms": 12.0}, **fluorescence}
