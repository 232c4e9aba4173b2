"""Build the virtual controller: the firmware's core as a Linux program, with plain ``g++``.

Knows compilers and files, and nothing of the protocol. A program is built once for each content of its sources::

    python firmware/native/build.py        # builds, and prints the program's path
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

NATIVE = Path(__file__).resolve().parent
FIRMWARE = NATIVE.parent
BUILD = FIRMWARE / "build"
COMPILER = "g++"
STRICT = (
    "-std=c++17",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Werror",
)
CORE_ONLY = ("-fno-exceptions", "-fno-rtti")  # what a microcontroller has not


class BuildError(Exception):
    """The compiler is missing, or refused the sources; no program was made."""


def core_sources() -> list[Path]:
    """Return the portable core's sources."""
    return sorted((FIRMWARE / "core").glob("*.cpp"))


def native_sources() -> list[Path]:
    """Return the sources of the virtual controller besides the core."""
    return sorted(NATIVE.rglob("*.cpp"))


def build_controller() -> Path:
    """Build the virtual controller unless it is there; return the program.

    Raises
    ------
    BuildError
        There is no ``g++``, or it refused a source; its message is in the error.
    """
    return build("squid-controller", core_sources(), native_sources())


def build(name: str, core: list[Path], others: list[Path]) -> Path:
    """Build a program from sources of the core and others; an object is compiled once for each content.

    Parameters
    ----------
    name : str
        File name of the program.
    core, others : list of Path
        Sources; those of the core are compiled without exceptions and run-time types.
    """
    if shutil.which(COMPILER) is None:
        raise BuildError(f"{COMPILER} is not installed (Debian: apt install {COMPILER})")
    BUILD.mkdir(exist_ok=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        objects = [
            *pool.map(lambda source: _object(source, CORE_ONLY), core),
            *pool.map(lambda source: _object(source, ()), others),
        ]
    program = BUILD / f"{name}-{hashlib.sha256(' '.join(map(str, objects)).encode()).hexdigest()[:16]}"
    _make(program, [COMPILER, *map(str, objects)])
    return program


def _digest(files: list[Path], *words: str) -> str:
    """Return a name for the content of files and some words."""
    digest = hashlib.sha256(" ".join(words).encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _object(source: Path, extra: tuple[str, ...]) -> Path:
    """Compile a source unless it was; return the object file."""
    flags = (*STRICT, *extra, "-O1")
    folders = {FIRMWARE / "core"} if source.parent.name == "core" else {FIRMWARE / "core", NATIVE, source.parent}
    headers = sorted(header for folder in folders for header in folder.rglob("*.h"))
    target = BUILD / f"{source.parent.name}-{source.stem}-{_digest([source, *headers], *flags)}.o"
    _make(target, [COMPILER, *flags, "-I", str(FIRMWARE), "-c", str(source)])
    return target


def _make(target: Path, command: list[str]) -> None:
    """Run a compiler for `target` unless it is there; appears whole or not at all, also for two who build at once."""
    if target.exists():
        return
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    result = subprocess.run([*command, "-o", str(part)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        part.unlink(missing_ok=True)
        raise BuildError(f"{' '.join(command)}\n{result.stderr}")
    part.replace(target)


if __name__ == "__main__":
    sys.stdout.write(f"{build_controller()}\n")
