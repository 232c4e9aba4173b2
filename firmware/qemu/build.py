"""Build the firmware for a Cortex-M7 in QEMU, with Debian's ``arm-none-eabi-g++``.

Knows compiler and linker flags. The image runs on ``qemu-system-arm -M mps2-an500``::

    python firmware/qemu/build.py        # builds, and prints the image's path
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from firmware.native import build

HERE = Path(__file__).resolve().parent
CORTEX_M7 = ("-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-d16", "-mfloat-abi=hard")
TOOLS = build.Toolchain(
    compiler="arm-none-eabi-g++",
    flags=(*build.STRICT, *build.CORE_ONLY, *CORTEX_M7, "-Os", "-ffunction-sections", "-fno-threadsafe-statics"),
    link_flags=(
        "--specs=nano.specs",
        "-nostartfiles",
        "-nodefaultlibs",
        "-Wl,--gc-sections",
        "-T",
        str(HERE / "image.ld"),
    ),
    libraries=("-Wl,--start-group", "-lc_nano", "-lm", "-lnosys", "-lgcc", "-Wl,--end-group"),
)
EMULATOR = ("qemu-system-arm", "-M", "mps2-an500", "-nographic", "-monitor", "none")


def build_image() -> Path:
    """Build the image unless it is there; return the ELF file.

    Raises
    ------
    BuildError
        There is no ``arm-none-eabi-g++``, or it refused a source.
    """
    sources = [*build.core_sources(), build.NATIVE / "sim_motor.cpp", *sorted(HERE.glob("*.cpp"))]
    return build.build("squid-cortex-m7.elf", sources, TOOLS)


if __name__ == "__main__":
    sys.stdout.write(f"{build_image()}\n")
