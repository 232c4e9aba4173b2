"""What the controller's driver costs, on a virtual controller: one JSON line per case.

``.venv/bin/python benchmarks/controller.py [CASE …]``

- ``acknowledge``: a command until it is acknowledged, beside the same bytes on a bare file descriptor; the difference
  of the medians is the host time that the driver adds
- ``acknowledge_stock``: the same with stock firmware, which answers with its next frame, 11 ms apart
- ``move``: a small move until the stage stands, with motors that take (almost) no time
- ``corrupted``: the same with 1 % of all bytes changed
- ``per_frame``: whole runs of small frames that are thrown away, frame by frame and as hardware sequences:
  ``overhead_ms_per_frame`` beyond exposures, moves and read-outs
- ``reference``: the reference run of ``acquisition.py`` on the simulated devices, through serial link and virtual
  controller frame by frame, and with sequences; and whether the three plates are the same (not run unless named)
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "software")]

from same_plate import compared

from squid.drivers.controller.axis import xy_axis, z_axis
from squid.drivers.controller.link import ControllerLink
from squid.drivers.controller.link_options import LinkOptions
from squid.drivers.controller.packets import encode
from squid.drivers.controller.protocol_table import Code
from squid.drivers.controller.requests import Command, send_all
from squid.drivers.controller.stage import ControllerStage, StageOptions
from squid.drivers.controller.virtual import VirtualController, build_controller

REPEATS = 2000
STOCK_REPEATS = 200


def acknowledge(*arguments: str, repeats: int = REPEATS) -> dict[str, float]:
    """Time of a command through the driver, and of its bytes through nothing but the port."""
    controller = VirtualController(build_controller(), *arguments)
    try:
        descriptor = os.open(controller.port, os.O_RDWR | os.O_NOCTTY)
        bare = _times(repeats, _bare(descriptor))
        os.close(descriptor)
        link = ControllerLink("controller", LinkOptions(port=controller.port))
        link.open()
        off = Command(Code.TURN_OFF_ALL_PORTS)
        driver = _times(repeats, lambda: link.submit(send_all((off,))).result(5))
        link.close()
    finally:
        controller.close()
    return {
        "median_ms": statistics.median(driver),
        "p99_ms": statistics.quantiles(driver, n=100)[98],
        "bare_median_ms": statistics.median(bare),
        "added_median_ms": statistics.median(driver) - statistics.median(bare),
    }


def _bare(descriptor: int) -> Callable[[], None]:
    number = 0

    def exchange() -> None:
        nonlocal number
        number = (number + 1) % 256
        os.write(descriptor, encode(number, Code.TURN_OFF_ALL_PORTS))
        while True:
            select.select([descriptor], [], [])
            data = os.read(descriptor, 4096)
            if any(data[at] == number for at in range(0, len(data) - 23, 24)):
                return

    return exchange


def _times(repeats: int, call: Callable[[], object]) -> list[float]:
    """Times of calls in ms."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return times


def move(corrupt: float = 0.0) -> dict[str, float]:
    """Time of moves of x by up to 1 mm with motors that are a thousand times faster than real ones."""
    controller = VirtualController(build_controller(), "--speed", "1000")
    link = ControllerLink("controller", LinkOptions(port=controller.port))
    link.open()
    at_once = {"settle_ms": 0}
    options = StageOptions(x=xy_axis(5, 115).model_copy(update=at_once), z=z_axis().model_copy(update=at_once))
    stage = ControllerStage("stage", options, link)
    stage.open()
    stage.home().result(60)
    rng = random.Random(1)
    controller.ask(f"corrupt {corrupt}")
    times = _times(REPEATS, lambda: stage.move_to(x_um=rng.uniform(20_000, 21_000)).result(5))
    controller.ask("corrupt 0")
    figures = {
        "median_ms": statistics.median(times),
        "mean_ms": statistics.fmean(times),
        "repeated_commands": float(str(link.state()["repeated_commands"])),
    }
    stage.close()
    link.close()
    controller.close()
    return figures


MACHINES = ("simulated", "frames", "sequences")


def _run(case: str, machine: str, folder: Path) -> dict[str, float]:
    """Run a case in a process of its own; figures with the machine's name."""
    command = [sys.executable, str(HERE / "run_controller.py"), case, machine, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    ran = json.loads(done.stdout.splitlines()[-1])
    overhead_ms = (ran["wall_s"] - ran["ideal_s"]) / ran["frames"] * 1000
    figures = {"frames": ran["frames"], "wall_s": ran["wall_s"], "ideal_s": ran["ideal_s"]}
    figures |= {"duty": ran["ideal_s"] / ran["wall_s"], "overhead_ms_per_frame": overhead_ms}
    return {f"{machine}_{name}": float(value) for name, value in figures.items()}


def per_frame() -> dict[str, float]:
    """Whole runs of small frames."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        found = [_run("small", machine, Path(folder)) for machine in MACHINES]
    return {name: value for figures in found for name, value in figures.items()}


def reference() -> dict[str, float]:
    """The reference run on three machines, and what differs between their plates."""
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=".") as name:
        folders = {machine: Path(name) / machine for machine in MACHINES}
        figures: dict[str, float] = {}
        for machine, folder in folders.items():
            folder.mkdir()
            figures |= _run("reference", machine, folder)
        first, *others = folders.items()
        for machine, folder in others:
            figures |= {f"{machine}_{what}": value for what, value in compared(first[1], folder).items()}
    return figures


CASES: dict[str, Callable[[], dict[str, float]]] = {
    "acknowledge": acknowledge,
    "acknowledge_stock": lambda: acknowledge("--stock", repeats=STOCK_REPEATS),
    "move": move,
    "corrupted": lambda: move(0.01),
    "per_frame": per_frame,
    "reference": reference,
}
QUICK = tuple(name for name in CASES if name != "reference")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    for case in parser.parse_args().cases or QUICK:
        figures = {name: round(value, 4) for name, value in CASES[case]().items()}
        print(json.dumps({"benchmark": "controller", "case": case, **figures}), flush=True)


if __name__ == "__main__":
    main()
