"""Configuration files of existing machines become machine files that load, and nothing is lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from squid.drivers.controller.stage import ControllerStage
from squid.errors import ConfigurationError
from squid.import_config import convert
from squid.machine_file import read_machine_file
from squid.microscope import Microscope
from squid.models.geometry import AxisRange

INI = """\
[GENERAL]
camera_type = Toupcam
_camera_type_options = [Default, FLIR, Toupcam]
rotate_image_angle = 90
flip_image = Vertical
default_pixel_format = MONO16
controller_sn = "12345"
stage_movement_sign_x = 1
stage_movement_sign_y = 1
stage_movement_sign_z = -1
stage_pos_sign_x = 1
stage_pos_sign_z = -1
use_encoder_x = False
fullsteps_per_rev_x = 200
fullsteps_per_rev_y = 400
screw_pitch_x_mm = 2.54
screw_pitch_y_mm = 2.54
screw_pitch_z_mm = 0.3
microstepping_default_x = 16
microstepping_default_y = 16
microstepping_default_z = 16
max_velocity_x_mm = 30
max_acceleration_z_mm = 100
x_motor_rms_current_ma = 1000
z_motor_i_hold = 0.5
scan_stabilization_time_ms_x = 25
led_matrix_r_factor = 1.0
led_matrix_g_factor = 0.5
illumination_intensity_factor = 0.8
camera_pixel_size_um = {"IMX226": 1.85, "IMX571": 3.76}
camera_sensor = IMX571
tube_lens_mm = 180
default_objective = 10x
homing_enabled_x = False
support_laser_autofocus = True
[SOFTWARE_POS_LIMIT]
x_positive = 115
x_negative = 5
y_positive = 76
y_negative = 4
z_positive = 6
z_negative = 0.05
[CAMERA_CONFIG]
CAMERA_CROP_WIDTH = 4168
CAMERA_CROP_HEIGHT = 4168
BINNING_FACTOR_DEFAULT = 2
[OUTPUT_GAINS]
channel7_gain = True
[Z_STAGE_CONFIG]
z_stage_mode = stepper_and_piezo
[FLUIDICS]
pump = 3
"""


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    path = tmp_path / "configuration_My Squid.ini"
    path.write_text(INI, encoding="utf-8")
    return path


def test_what_is_understood_arrives(ini: Path, tmp_path: Path) -> None:
    text, _ = convert(ini)
    file = tmp_path / "machine.yaml"
    file.write_text(text, encoding="utf-8")
    config = read_machine_file(file)
    assert config.name == "My Squid"
    assert config.devices["controller"].options == {"serial_number": "12345"}
    assert (config.camera.sensor_pixel_um, config.camera.binning, config.camera.roi_px) == (3.76, 2, (2084, 2084))
    assert (config.camera.orientation.rotate_deg, config.camera.orientation.flip_y) == (90, True)
    assert config.objective == "10x"
    microscope = Microscope.build(config)
    stage = microscope.stage
    assert isinstance(stage, ControllerStage)
    assert stage.limits.x == AxisRange(min_um=5000, max_um=115000)
    options = stage._options
    assert (options.x.pitch_mm, options.x.microsteps, options.x.speed_mm_s) == (2.54, 16, 30)
    assert (options.z.direction, options.z.acceleration_mm_s2, options.z.hold_fraction) == (-1, 100, 0.5)
    assert (options.x.backlash_um, options.z.backlash_um) == (0, 5)
    assert options.piezo is not None
    assert options.piezo.five_volts
    assert {channel.source for channel in config.channels["default"].values()} <= {
        source.name for source in microscope.illumination.sources
    }


def test_what_is_not_understood_is_listed_in_report_and_file(ini: Path) -> None:
    text, missing = convert(ini)
    assert missing == [
        "GENERAL.camera_type = Toupcam",
        "GENERAL.fullsteps_per_rev_y = 400",
        "GENERAL.homing_enabled_x = False",
        "GENERAL.support_laser_autofocus = True",
        "FLUIDICS.pump = 3",
    ]
    assert all(f"#   {line}\n" in text for line in missing)


PRESENT_INI = """\
[GENERAL]
version = 2.0
main_camera_model = ITR3CMOS26000KMA
led_matrix_r_factor = 1.8
led_matrix_g_factor = 0.9
led_matrix_b_factor = 0.0
Z_MOTOR_CONFIG = "STEPPER + PIEZO"
OBJECTIVE_PIEZO_CONTROL_VOLTAGE_RANGE = 2.5
OBJECTIVE_PIEZO_RANGE_UM = 600
OBJECTIVE_PIEZO_FLIP_DIR = True
use_prior_stage = True
[CAMERA_CONFIG]
rotate_image_angle = -90
flip_image = Vertical
crop_width_unbinned = 3000
crop_height_unbinned = 2000
binning_factor_default = 2
pixel_format_default = MONO8
[OUTPUT_GAINS]
refdiv = False
channel0_gain = False
channel1_gain = True
channel7_gain = True
"""


def test_a_present_file_loads_with_its_camera_and_piezo(tmp_path: Path) -> None:
    path = tmp_path / "configuration_HCS_v2.ini"
    path.write_text(PRESENT_INI, encoding="utf-8")
    text, missing = convert(path)
    file = tmp_path / "machine.yaml"
    file.write_text(text, encoding="utf-8")
    config = read_machine_file(file)
    orientation = config.camera.orientation
    assert (orientation.rotate_deg, orientation.flip_x, orientation.flip_y) == (270, False, True)
    assert (config.camera.roi_px, config.camera.pixel_format.value) == ((1500, 1000), "mono8")
    assert config.camera.sensor_pixel_um == 3.76
    microscope = Microscope.build(config)  # LED factors above 1 became a colour that is allowed
    assert isinstance(microscope.stage, ControllerStage)
    piezo = microscope.stage._options.piezo
    assert piezo is not None
    assert (piezo.range_um, piezo.inverted, piezo.five_volts) == (600, True, False)
    assert config.devices["light"].options["sources"]["full"]["colour"] == [1.0, 0.5, 0.0]
    assert missing == ["GENERAL.use_prior_stage = True", "OUTPUT_GAINS.channel1_gain = True"]
    assert "&id" not in text


def test_a_pixel_size_that_the_file_does_not_say_is_called_a_guess(tmp_path: Path) -> None:
    path = tmp_path / "configuration_x.ini"
    path.write_text("[GENERAL]\nmain_camera_model = UNHEARD-OF\n", encoding="utf-8")
    text, missing = convert(path)
    assert "check camera.sensor_pixel_um: the file does not say, this is a guess" in text
    assert missing == ["GENERAL.main_camera_model = UNHEARD-OF"]


@pytest.mark.parametrize("content", ["", "[OTHER]\na = 1\n", "no section"])
def test_another_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.ini"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"other\.ini"):
        convert(path)
    with pytest.raises(ConfigurationError, match=r"absent\.ini"):
        convert(tmp_path / "absent.ini")
