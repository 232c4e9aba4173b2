"""Driver name -> class: our own table, and the entry points ``squid.drivers`` of installed packages.

A lab ships its own driver as a package whose metadata says, in ``pyproject.toml``::

    [project.entry-points."squid.drivers"]
    "mylab.camera" = "mylab_squid:MyCamera"

A driver is imported when a machine file names it, never before: a missing vendor library hurts nobody else.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from squid.abc.device import Device
from squid.errors import ConfigurationError

GROUP = "squid.drivers"

BUILT_IN = {
    "simulated.world": "squid.drivers.simulated.world:SimulatedWorld",
    "simulated.camera": "squid.drivers.simulated.camera:SimulatedCamera",
    "simulated.stage": "squid.drivers.simulated.stage:SimulatedStage",
    "simulated.illumination": "squid.drivers.simulated.illumination:SimulatedIllumination",
    "simulated.filter_wheel": "squid.drivers.simulated.filter_wheel:SimulatedFilterWheel",
    "simulated.objective_changer": "squid.drivers.simulated.objective_changer:SimulatedObjectiveChanger",
    "simulated.camera_trigger": "squid.drivers.simulated.camera_trigger:SimulatedCameraTrigger",
    "controller.link": "squid.drivers.controller.link:ControllerLink",
    "controller.virtual_link": "squid.drivers.controller.virtual:VirtualControllerLink",
    "controller.light_path": "squid.drivers.controller.light_path:ControllerLightPath",
    "controller.stage": "squid.drivers.controller.stage:ControllerStage",
    "controller.illumination": "squid.drivers.controller.illumination:ControllerIllumination",
    "controller.camera_trigger": "squid.drivers.controller.camera_trigger:ControllerCameraTrigger",
    "controller.strobed_trigger": "squid.drivers.controller.camera_trigger:ControllerStrobedTrigger",
    "controller.sequencer": "squid.drivers.controller.sequencer:ControllerSequencer",
    "controller.sequencer_with_wheel": "squid.drivers.controller.sequencer:ControllerSequencerWithWheel",
    "controller.trigger_wire": "squid.drivers.controller.trigger_wire:TriggerWire",
    "controller.filter_wheel": "squid.drivers.controller.filter_wheel:ControllerFilterWheel",
    "controller.autofocus_laser": "squid.drivers.controller.autofocus_laser:ControllerAutofocusLaser",
}


def driver_names() -> tuple[str, ...]:
    """Return the names of all drivers that a machine file may use, sorted."""
    return tuple(sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))}))


def driver_class(name: str) -> type[Device]:
    """Return the class of the driver `name`.

    Raises
    ------
    ConfigurationError
        No such driver, two packages claim the name, or it cannot be imported; the message says which.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found = getattr(import_module(module), attribute)
    else:
        found = _third_party(name)
    if not (isinstance(found, type) and issubclass(found, Device)):
        raise ConfigurationError(f"driver {name} is {found!r}, not a Device class")
    return found


def _third_party(name: str) -> object:
    points = tuple(entry_points(group=GROUP, name=name))
    if not points:
        raise ConfigurationError(f"no driver '{name}'", allowed=", ".join(driver_names()))
    if len(points) > 1:
        packages = ", ".join(point.dist.name if point.dist else point.value for point in points)
        raise ConfigurationError(f"driver '{name}' is claimed by several packages: {packages}")
    try:
        return points[0].load()
    except ImportError as e:
        raise ConfigurationError(f"driver '{name}' ({points[0].value}) cannot be imported: {e}") from e
