"""Static analysis and the microcontroller's compiler, where they are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from firmware.native import build
from firmware.qemu.build import CORTEX_M7

HEAP = {"malloc", "free", "_Znwj", "_Znaj", "_ZdlPv", "_ZdlPvj", "__cxa_throw", "__cxa_allocate_exception"}


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def test_cppcheck_finds_nothing():
    result = subprocess.run(
        [tool("cppcheck"), "--std=c++17", "--enable=warning,style,performance,portability", "--quiet", "-j2",
         "--suppress=missingIncludeSystem", "--error-exitcode=1", "-I", ".",
         "-I", str(Path(__file__).parent / "teensy_headers"), "core", "native", "qemu", "teensy41/src"],
        cwd=build.FIRMWARE, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert result.returncode == 0, result.stderr


def test_core_compiles_for_the_microcontroller_without_heap_or_exceptions(tmp_path):
    compiler = tool("arm-none-eabi-g++")
    flags = [*build.STRICT, *build.CORE_ONLY, *CORTEX_M7, "-Os"]
    result = subprocess.run(
        [compiler, *flags, "-c", *map(str, build.core_sources())],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr

    objects = sorted(map(str, tmp_path.glob("*.o")))
    symbols = subprocess.run([tool("arm-none-eabi-nm"), "-u", *objects], capture_output=True, text=True, check=True)
    assert len(objects) == len(build.core_sources())
    assert not HEAP & set(symbols.stdout.split())


@pytest.mark.parametrize("options", [[], ["-D", "DISABLE_LASER_INTERLOCK"]], ids=["interlock", "no interlock"])
def test_the_teensys_layer_is_read_by_the_microcontrollers_compiler(options):
    """Against declarations only: it was never linked with the Arduino core and never run."""
    teensy = build.FIRMWARE / "teensy41" / "src"
    headers = Path(__file__).parent / "teensy_headers"
    result = subprocess.run(
        [tool("arm-none-eabi-g++"), "-std=c++17", "-Wall", "-Wextra", "-Werror", *CORTEX_M7, *options,
         "-isystem", str(headers), "-I", str(build.FIRMWARE), "-fsyntax-only", *map(str, sorted(teensy.glob("*.cpp")))],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert result.returncode == 0, result.stderr


def test_core_includes_nothing_of_a_board_or_an_operating_system():
    allowed = {"algorithm", "array", "cmath", "cstddef", "cstdint", "limits"}
    for path in sorted((build.FIRMWARE / "core").iterdir()):
        included = set(re.findall(r"#include <([^>]+)>", path.read_text("utf-8")))
        assert included <= allowed, path.name
        assert not re.findall(r'#include "\.\.', path.read_text("utf-8")), path.name
