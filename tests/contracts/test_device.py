"""What every device promises, run on every driver of the table."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.contracts.table import ALL, HANGING, TIMEOUT_S, Driver, commands_of, opened

from squid.errors import AccessRevokedError, DeviceClosedError, DeviceError
from squid.utils.epoch import Epoch

every_driver = pytest.mark.parametrize("driver", ALL, ids=str)


@every_driver
def test_opens_and_closes_any_number_of_times(driver: Driver) -> None:
    devices = driver.make()
    device = devices[-1]
    device.close()
    for used in devices[:-1]:
        used.open()
    for _ in range(2):
        device.open()
        device.open()
        assert device.is_open
        device.close()
        device.close()
        assert not device.is_open
    for used in devices[:-1]:
        used.close()


@every_driver
def test_refuses_every_command_when_closed(driver: Driver) -> None:
    device = driver.make()[-1]
    for command in commands_of(device):
        with pytest.raises(DeviceClosedError) as refusal:
            command(device)
        assert refusal.value.device == device.label


@every_driver
def test_refuses_every_command_of_a_revoked_epoch(driver: Driver) -> None:
    with opened(driver) as device:
        epoch = Epoch("slow task")
        epoch.revoke("time limit")
        with epoch.entered():
            for command in commands_of(device):
                with pytest.raises(AccessRevokedError, match="slow task"):
                    command(device)


@every_driver
def test_tells_its_state_open_and_closed(driver: Driver) -> None:
    with opened(driver) as device:
        state = device.state()
        assert state["open"] is True
        assert all(isinstance(value, str | float | int | bool | None) for value in state.values())
    assert device.state() == {"open": False}


@every_driver
def test_leaves_no_thread_behind(driver: Driver) -> None:
    before = set(threading.enumerate())
    with opened(driver):
        pass
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(("driver", "call"), HANGING, ids=lambda value: str(value) if isinstance(value, Driver) else "")
def test_a_call_that_hangs_ends_when_the_device_is_closed(driver: Driver, call: Callable[[Any], object]) -> None:
    outcome: list[BaseException] = []

    def hang(device: Any) -> None:
        try:
            call(device)
        except DeviceError as e:
            outcome.append(e)

    with opened(driver) as device:
        thread = threading.Thread(target=hang, args=(device,), daemon=True)
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
    thread.join(TIMEOUT_S)
    assert isinstance(outcome[0], DeviceClosedError)
