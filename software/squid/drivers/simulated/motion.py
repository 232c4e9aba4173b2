"""Trapezoidal motion of one axis: constant acceleration, cruise, constant deceleration. Pure functions."""

from __future__ import annotations

import math


def move_time_s(distance_um: float, speed_um_s: float, acceleration_um_s2: float) -> float:
    """Return the duration of a move from rest to rest, without settling.

    Parameters
    ----------
    distance_um : float
        Length of the move; its sign does not matter.
    speed_um_s, acceleration_um_s2 : float
        Largest speed and acceleration.
    """
    distance = abs(distance_um)
    ramps = speed_um_s**2 / acceleration_um_s2  # distance in which the axis just reaches its speed and stops again
    if distance < ramps:
        return 2 * math.sqrt(distance / acceleration_um_s2)
    return distance / speed_um_s + speed_um_s / acceleration_um_s2


def travelled_fraction(elapsed_s: float, distance_um: float, speed_um_s: float, acceleration_um_s2: float) -> float:
    """Return which part (0…1) of a move is done `elapsed_s` after its start."""
    total_s = move_time_s(distance_um, speed_um_s, acceleration_um_s2)
    if elapsed_s >= total_s:
        return 1.0
    if elapsed_s <= 0:
        return 0.0
    distance = abs(distance_um)
    ramp_s = min(speed_um_s / acceleration_um_s2, total_s / 2)
    ramp_um = acceleration_um_s2 * ramp_s**2 / 2
    if elapsed_s < ramp_s:
        done = acceleration_um_s2 * elapsed_s**2 / 2
    elif elapsed_s > total_s - ramp_s:
        done = distance - acceleration_um_s2 * (total_s - elapsed_s) ** 2 / 2
    else:
        done = ramp_um + speed_um_s * (elapsed_s - ramp_s)
    return done / distance
