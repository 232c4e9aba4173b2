import pytest

from squid.drivers.simulated.faults import ALWAYS, FaultPlan, parse_fault, with_faults
from squid.errors import ConfigurationError
from squid.machine_file import CONFIGS, read_machine_file


@pytest.mark.parametrize(
    ("text", "device", "kind", "at", "times", "values"),
    [
        ("camera.hang@frame=100", "camera", "hang", 100, 1, {}),
        ("camera.lost_frame@frame=0,times=3", "camera", "lost_frame", 0, 3, {}),
        ("camera.late_frame@frame=7,delay_s=0.5", "camera", "late_frame", 7, 1, {"delay_s": 0.5}),
        ("camera.late_frame@frame=7", "camera", "late_frame", 7, 1, {"delay_s": 2.0}),
        ("stage.off_target@move=5,by_um=-3,times=always", "stage", "off_target", 5, ALWAYS, {"by_um": -3.0}),
        ("illumination.hang@switch=2", "illumination", "hang", 2, 1, {}),
        (" filter_wheel.never_arrives@move=1 ", "filter_wheel", "never_arrives", 1, 1, {}),
    ],
)
def test_understands(text: str, device: str, kind: str, at: int, times: int, values: dict[str, float]) -> None:
    fault = parse_fault(text)
    assert (fault.device, fault.kind, fault.at, fault.times) == (device, kind, at, times)
    assert dict(fault.values) == values


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "DEVICE.KIND@COUNTER=N"),
        ("camera", "DEVICE.KIND@COUNTER=N"),
        ("camera.hang", "camera.hang@frame=100"),
        ("toaster.hang@frame=1", "camera, stage, illumination"),
        ("camera.sneeze@frame=1", "hang, exception, no_frame"),
        ("camera.hang@move=1", "allowed: frame"),
        ("camera.hang@frame=x", "whole numbers from 0"),
        ("stage.hang@move=0", "whole numbers from 1"),
        ("camera.hang@frame=1,times=0", "whole numbers from 1 or 'always'"),
        ("camera.hang@frame=1,delay_s=3", "allowed: times"),
        ("camera.late_frame@frame=1,delay_s=soon", "a number"),
    ],
)
def test_refuses_and_names_what_is_allowed(text: str, names: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse_fault(text)
    assert names in str(refusal.value)
    assert f"fault '{text}'" in str(refusal.value)


def test_frame_faults_strike_their_index_as_often_as_asked() -> None:
    plan = FaultPlan(
        [parse_fault("camera.lost_frame@frame=2,times=2"), parse_fault("camera.none@frame=3,times=always")]
    )
    assert [plan.for_frame(index) is not None for index in (0, 2, 2, 2, 1)] == [False, True, True, False, False]
    assert [plan.for_frame(3).kind for _ in range(5)] == ["none"] * 5  # type: ignore[union-attr]


def test_call_faults_count_calls_of_their_device() -> None:
    plan = FaultPlan([parse_fault("stage.exception@move=2,times=2"), parse_fault("illumination.hang@switch=1")])
    assert plan.for_call("illumination") is not None
    assert [plan.for_call("stage") is not None for _ in range(5)] == [False, True, True, False, False]


def test_faults_are_added_to_the_simulated_world() -> None:
    config = read_machine_file(CONFIGS / "simulation.yaml")
    changed = with_faults(with_faults(config, ["camera.hang@frame=1"]), ["camera.none@frame=2"])
    assert changed.devices["world"].options["faults"] == ("camera.hang@frame=1", "camera.none@frame=2")
    assert "faults" not in config.devices["world"].options
    assert with_faults(config, []) is config
    with pytest.raises(ConfigurationError, match="unknown device"):
        with_faults(config, ["toaster.hang@frame=1"])


def test_real_hardware_takes_no_faults() -> None:
    config = read_machine_file(CONFIGS / "simulation.yaml")
    devices = {label: device for label, device in config.devices.items() if label != "world"}
    with pytest.raises(ConfigurationError, match="not simulated"):
        with_faults(config.model_copy(update={"devices": devices}), ["camera.hang@frame=1"])
