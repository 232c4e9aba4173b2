"""The registry, and a package with a driver of its own that is really installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from squid.abc.device import Device
from squid.errors import ConfigurationError
from squid.registry import BUILT_IN, GROUP, driver_class, driver_names

PACKAGE = Path("tests/third_party_driver")
MACHINE = """
name: lamp
devices:
  world: {driver: simulated.world, options: {time_scale: 20}}
  stage: {driver: simulated.stage, role: stage, uses: {world: world}}
  camera: {driver: simulated.camera, role: camera, uses: {world: world}, options: {sensor_shape_px: [64, 64]}}
  light: {driver: mylab.lamp, role: illumination, options: {wavelength_nm: 940}}
camera: {sensor_pixel_um: 6.5}
objectives: {20x: null}
objective: 20x
channels: {default: {NIR: {source: lamp, intensity: 1, exposure_ms: 5}}}
"""


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_driver_loads(name: str) -> None:
    assert issubclass(driver_class(name), Device)
    assert name in driver_names()


def test_an_unknown_driver_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"simulated\.camera"):
        driver_class("nobody.knows")


def test_drivers_are_not_imported_before_they_are_named() -> None:
    code = "import sys; sys.path.insert(0, 'software'); import squid.registry as r; r.driver_names(); " + (
        "print([m for m in sys.modules if m.startswith('squid.drivers.')])"
    )
    seen = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert seen.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as an installer lays it out: the modules, and their metadata beside them.

    Written by hand from its ``pyproject.toml``, as the wheel format says, since a build tool is not needed to read it.
    """
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(PACKAGE / "mylab_squid", site / "mylab_squid", ignore=shutil.ignore_patterns("__pycache__"))
    info = site / f"mylab_squid-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "\n".join(f"{name} = {target}" for name, target in project["entry-points"][GROUP].items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n")
    return site


def test_a_lab_ships_its_own_driver(installed: Path, tmp_path: Path) -> None:
    machine = tmp_path / "machine.yaml"
    machine.write_text(MACHINE, encoding="utf-8")
    path = os.pathsep.join(str(folder) for folder in (installed, Path("software").absolute()))
    command = [sys.executable, str(PACKAGE / "use_it.py"), str(machine)]
    environment = {**os.environ, "PYTHONPATH": path}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[:4] == ["True", "mylab_squid 940.0", "('lamp',) (64, 64)", "()"]
    assert "cannot be imported" in lines[4]
    assert "vendor_library_that_nobody_has" in lines[4]
    assert "not a Device class" in lines[5]
    assert lines[6] == "devices.light.options.wavelength_nm"


def test_two_packages_may_not_claim_one_name(installed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other-2.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 2.0\n")
    (other / "entry_points.txt").write_text(f"[{GROUP}]\nmylab.lamp = other:Lamp\n")
    code = "from squid.registry import driver_class\ntry: driver_class('mylab.lamp')\nexcept Exception as e: print(e)"
    path = os.pathsep.join(str(folder) for folder in (installed, tmp_path, Path("software").absolute()))
    command = [sys.executable, "-c", code]
    ran = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, check=True, capture_output=True, text=True, timeout=60
    )
    assert "claimed by several packages" in ran.stdout
    assert "mylab-squid" in ran.stdout
    assert "other" in ran.stdout
