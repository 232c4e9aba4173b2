"""Which commands darken a controller, by firmware generation (section 6)."""

from __future__ import annotations

from squid.drivers.controller.capabilities import Capabilities
from squid.drivers.controller.protocol_table import Code, LightSource, OutputPin
from squid.drivers.controller.requests import Command

LASERS = (LightSource.D1, LightSource.D2, LightSource.D3, LightSource.D4, LightSource.D5)
"""Laser sources in the order of their ports 0 to 4; D3 is 14 and D4 is 13."""


def dark_commands(capabilities: Capabilities) -> tuple[Command, ...]:
    """Return the commands after which every light is off, the autofocus laser included.

    Firmware before 1.0 switches off only the source that is selected, so each is selected, without power, and
    switched off.
    """
    laser = Command(Code.SET_PIN_LEVEL, {"pin": OutputPin.AF_LASER, "level": 0})
    if capabilities.is_ours:
        return (Command(Code.LIGHTS_OUT),)
    if capabilities.has_ports:
        return (Command(Code.TURN_OFF_ALL_PORTS), Command(Code.TURN_OFF_ILLUMINATION), laser)
    off = Command(Code.TURN_OFF_ILLUMINATION)
    each: list[Command] = [off]
    for source in LASERS:
        each += [Command(Code.SET_ILLUMINATION, {"source": source, "intensity": 0}), off]
    each += [Command(Code.SET_ILLUMINATION_LED_MATRIX, {"source": LightSource.MATRIX_FULL}), off]
    return (*each, laser)
