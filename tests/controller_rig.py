"""Whole runs on a virtual controller: ``simulation_controller.yaml`` with a small sensor and quick motors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.controller_program import controller_program
from tests.rig import SENSOR_PX, Rig, rig

from squid.drivers.controller.axis import z_axis
from squid.drivers.controller.virtual import VirtualController, VirtualControllerLink
from squid.machine_file import CONFIGS, MachineConfig, read_machine_file

TIMEOUT_S = 60.0


def machine(
    folder: Path,
    *,
    sequences: bool = True,
    strobe_delay_ms: float | None = None,
    speed: float = 50,
    link: dict[str, Any] | None = None,
) -> MachineConfig:
    """The machine file; without sequences, frame by frame; with a delay, the trigger strobes the light."""
    data = yaml.safe_load((CONFIGS / "simulation_controller.yaml").read_text(encoding="utf-8"))
    devices = data["devices"]
    devices["controller"]["options"] = {"program": str(controller_program()), "speed": speed, **(link or {})}
    devices["camera"]["options"]["sensor_shape_px"] = list(SENSOR_PX)
    # Status frames that a busy machine brings late must not make the simulated camera see a moving stage.
    devices["stage"]["options"] = {"z": z_axis().model_copy(update={"settle_ms": 40}).model_dump(mode="json")}
    if strobe_delay_ms is not None:
        devices["trigger"]["driver"] = "controller.strobed_trigger"
        devices["trigger"]["uses"]["light"] = "light"
        devices["trigger"]["options"] = {"strobe_delay_ms": strobe_delay_ms}
    if not sequences:
        del devices["sequencer"]
    file = folder / f"controller_{'sequences' if sequences else 'frames'}.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return read_machine_file(file)


@contextmanager
def controller_rig(config: MachineConfig) -> Iterator[tuple[Rig, VirtualController]]:
    """Open the machine; also gives the virtual controller, to look into it and to break it."""
    with rig(config) as open_rig:
        link = open_rig.microscope.devices["controller"]
        assert isinstance(link, VirtualControllerLink)
        assert link.controller is not None
        open_rig.microscope.stage.home().result(TIMEOUT_S)
        yield open_rig, link.controller
