"""Static analysis and the microcontroller's compiler, where they are installed."""

from __future__ import annotations

import re
import shutil
import subprocess

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
         "--suppress=missingIncludeSystem", "--error-exitcode=1", "-I", ".", "core", "native", "qemu"],
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


def test_core_includes_nothing_of_a_board_or_an_operating_system():
    allowed = {"algorithm", "array", "cmath", "cstddef", "cstdint", "limits"}
    for path in sorted((build.FIRMWARE / "core").iterdir()):
        included = set(re.findall(r"#include <([^>]+)>", path.read_text("utf-8")))
        assert included <= allowed, path.name
        assert not re.findall(r'#include "\.\.', path.read_text("utf-8")), path.name
