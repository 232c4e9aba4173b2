"""Faults to inject: their text form, and who is told when.

The grammar, in a machine file (``faults:`` of the simulated world) and on the command line::

    DEVICE.KIND@COUNTER=N[,key=value…]        camera.lost_frame@frame=5,times=3

``frame`` counts by index in the plan (0 …); ``move``, ``switch`` and ``pulse`` count calls of the device since the
program started (1 …). ``times`` says how often the fault strikes from there on (default 1; ``always``): for a frame,
in successive exposures of that index; for calls, in successive calls.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from squid.errors import ConfigurationError
from squid.machine_file import DeviceConfig, MachineConfig

WORLD_DRIVER = "simulated.world"
ALWAYS = -1


@dataclass(frozen=True, slots=True)
class _Family:
    """What one kind of device can suffer: its counter, and for each fault its own keys with their defaults."""

    counter: str
    kinds: Mapping[str, Mapping[str, float]]


_NONE: Mapping[str, float] = MappingProxyType({})
_FAMILIES: Mapping[str, _Family] = MappingProxyType(
    {
        "camera": _Family(
            "frame",
            {
                "hang": _NONE,
                "exception": _NONE,
                "no_frame": _NONE,
                "lost_frame": _NONE,
                "late_frame": {"delay_s": 2.0},
                "none": _NONE,
                "wrong_shape": _NONE,
                "duplicate": _NONE,
                "skip_id": _NONE,
            },
        ),
        "stage": _Family(
            "move", {"hang": _NONE, "exception": _NONE, "never_arrives": _NONE, "off_target": {"by_um": 20.0}}
        ),
        "illumination": _Family("switch", {"hang": _NONE, "exception": _NONE, "stays_dark": _NONE}),
        "filter_wheel": _Family("move", {"hang": _NONE, "exception": _NONE, "never_arrives": _NONE}),
        "objective_changer": _Family("move", {"hang": _NONE, "exception": _NONE, "never_arrives": _NONE}),
        "camera_trigger": _Family("pulse", {"hang": _NONE, "exception": _NONE, "lost_pulse": _NONE}),
    }
)
_TEXT = re.compile(r"(?P<device>\w+)\.(?P<kind>\w+)@(?P<counter>\w+)=(?P<at>\w+)(?P<rest>(,\w+=[^,=]+)*)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes
    ----------
    device, kind : str
        Kind of device and what happens to it.
    at : int
        Where it first strikes: index in the plan, or number of the call.
    times : int
        How often; `ALWAYS` for without end.
    values : mapping of str to float
        The kind's own keys.
    """

    device: str
    kind: str
    at: int
    times: int = 1
    values: Mapping[str, float] = field(default_factory=dict)


def parse_fault(text: str) -> Fault:
    """Return the fault that `text` describes.

    Raises
    ------
    ConfigurationError
        Not the grammar, or an unknown device, kind, counter or key; names what is allowed.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise _refusal(text, "is no fault", "DEVICE.KIND@COUNTER=N[,key=value…], such as camera.hang@frame=100")
    device, kind = match["device"], match["kind"]
    if device not in _FAMILIES:
        raise _refusal(text, f"unknown device '{device}'", ", ".join(_FAMILIES))
    family = _FAMILIES[device]
    if kind not in family.kinds:
        raise _refusal(text, f"a {device} has no fault '{kind}'", ", ".join(family.kinds))
    if match["counter"] != family.counter:
        raise _refusal(text, f"faults of a {device} do not count '{match['counter']}'", family.counter)
    first = 0 if family.counter == "frame" else 1
    at = _whole(text, family.counter, match["at"], first)
    pairs = dict(pair.split("=") for pair in match["rest"].split(",") if pair)
    times_text = pairs.pop("times", "1")
    times = ALWAYS if times_text == "always" else _whole(text, "times", times_text, 1, " or 'always'")
    values = dict(family.kinds[kind])
    for key, value in pairs.items():
        if key not in values:
            raise _refusal(text, f"unknown key '{key}'", ", ".join(("times", *values)))
        values[key] = _number(text, key, value)
    return Fault(device, kind, at, times, MappingProxyType(values))


def with_faults(config: MachineConfig, faults: Sequence[str]) -> MachineConfig:
    """Return `config` with `faults` added to those of its simulated world.

    Raises
    ------
    ConfigurationError
        A fault is not understood, or the machine has no simulated world: real hardware takes no faults.
    """
    for text in faults:
        parse_fault(text)
    if not faults:
        return config
    worlds = [label for label, device in config.devices.items() if device.driver == WORLD_DRIVER]
    if not worlds:
        raise ConfigurationError(
            f"machine '{config.name}' is not simulated: it takes no faults ({', '.join(faults)})",
            allowed=f"a machine file with a device whose driver is {WORLD_DRIVER}",
        )
    label = worlds[0]
    world = config.devices[label]
    options = {**world.options, "faults": (*world.options.get("faults", ()), *faults)}
    changed: dict[str, DeviceConfig] = {**config.devices, label: world.model_copy(update={"options": options})}
    return config.model_copy(update={"devices": changed})


class FaultPlan:
    """Tells each simulated device when it has to fail.

    Parameters
    ----------
    faults : sequence of Fault
        In order of precedence.
    """

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._struck = [0] * len(self._faults)
        self._calls: dict[str, int] = {}
        self._lock = threading.Lock()

    def for_frame(self, plan_index: int) -> Fault | None:
        """Return what strikes the camera in this exposure, if anything."""
        with self._lock:
            for number, fault in enumerate(self._faults):
                if fault.device != "camera" or fault.at != plan_index:
                    continue
                if fault.times == ALWAYS or self._struck[number] < fault.times:
                    self._struck[number] += 1
                    return fault
        return None

    def for_call(self, device: str) -> Fault | None:
        """Count a call of the device and return what strikes it, if anything."""
        with self._lock:
            call = self._calls[device] = self._calls.get(device, 0) + 1
        for fault in self._faults:
            if fault.device != device or call < fault.at:
                continue
            if fault.times == ALWAYS or call < fault.at + fault.times:
                return fault
        return None


def _whole(text: str, key: str, value: str, least: int, also: str = "") -> int:
    if not value.isdecimal() or int(value) < least:
        raise _refusal(text, f"{key}={value}", f"whole numbers from {least}{also}")
    return int(value)


def _number(text: str, key: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise _refusal(text, f"{key}={value}", "a number") from None


def _refusal(text: str, message: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(message, key=f"fault '{text}'", allowed=allowed)
