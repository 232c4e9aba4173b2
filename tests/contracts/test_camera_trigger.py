"""What every camera trigger promises, with the camera that it is wired to."""

from collections.abc import Iterator

import pytest
from tests.contracts.table import CAMERA_TRIGGERS, TIMEOUT_S, Driver

from squid.abc.camera import Camera, TriggerMode
from squid.abc.camera_trigger import CameraTrigger


@pytest.fixture(params=CAMERA_TRIGGERS, ids=str)
def wired(request: pytest.FixtureRequest) -> Iterator[tuple[Camera, CameraTrigger]]:
    driver: Driver = request.param
    devices = driver.make()
    for device in devices:
        device.open()
    camera, line = devices[-2:]
    assert isinstance(camera, Camera)
    assert isinstance(line, CameraTrigger)
    yield camera, line
    for device in reversed(devices):
        device.close()


def test_a_pulse_starts_the_exposure_that_waits_for_it(wired: tuple[Camera, CameraTrigger]) -> None:
    camera, line = wired
    camera.set_trigger_mode(TriggerMode.HARDWARE)
    for number in (1, 2):
        exposure = camera.trigger(number)
        assert not exposure.ended.done()
        line.pulse()
        assert exposure.frame.result(TIMEOUT_S).trigger_id == number


def test_a_pulse_that_nobody_waits_for_starts_nothing(wired: tuple[Camera, CameraTrigger]) -> None:
    camera, line = wired
    camera.set_trigger_mode(TriggerMode.HARDWARE)
    line.pulse()
    exposure = camera.trigger(0)
    with pytest.raises(TimeoutError):
        exposure.ended.result(0.05)
    line.pulse()
    assert exposure.frame.result(TIMEOUT_S).hardware_id == 1
