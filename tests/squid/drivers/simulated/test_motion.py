import numpy as np
import pytest

from squid.drivers.simulated.motion import move_time_s, travelled_fraction

SPEED, ACCELERATION = 30e3, 500e3  # µm/s, µm/s²: the default stage


@pytest.mark.parametrize(
    ("distance_um", "expected_s"),
    [
        (0.0, 0.0),
        (1800.0, 0.12),  # v²/a: the speed is just reached; 2 v/a
        (9000.0, 0.36),  # d/v + v/a
        (-9000.0, 0.36),
        (450.0, 0.06),  # 2 √(d/a)
    ],
)
def test_duration_of_a_trapezoid(distance_um: float, expected_s: float) -> None:
    assert move_time_s(distance_um, SPEED, ACCELERATION) == pytest.approx(expected_s)


@pytest.mark.parametrize("distance_um", [100.0, 1800.0, 50000.0, -50000.0])
def test_the_profile_integrates_speed_and_acceleration(distance_um: float) -> None:
    total_s = move_time_s(distance_um, SPEED, ACCELERATION)
    times = np.linspace(0, total_s, 20001)
    places = abs(distance_um) * np.array([travelled_fraction(t, distance_um, SPEED, ACCELERATION) for t in times])
    speed = np.gradient(places, times)
    acceleration = np.gradient(speed, times)
    assert places[0] == 0
    assert places[-1] == pytest.approx(abs(distance_um))
    assert (speed >= -1e-6).all()
    assert speed.max() <= SPEED * (1 + 1e-6)
    assert np.abs(acceleration).max() <= ACCELERATION * (1 + 1e-3)
    assert speed[len(speed) // 2] == pytest.approx(min(SPEED, np.sqrt(abs(distance_um) * ACCELERATION)), rel=1e-3)
