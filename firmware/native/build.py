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
from typing import NamedTuple

NATIVE = Path(__file__).resolve().parent
FIRMWARE = NATIVE.parent
BUILD = FIRMWARE / "build"
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


class Toolchain(NamedTuple):
    """A compiler with its flags.

    Attributes
    ----------
    compiler : str
        Command of the compiler, which also links.
    flags, core_flags : tuple of str
        For every source; for those of the core besides.
    link_flags, libraries : tuple of str
        Before and behind the objects when linking.
    """

    compiler: str
    flags: tuple[str, ...]
    core_flags: tuple[str, ...] = ()
    link_flags: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


NATIVE_TOOLS = Toolchain("g++", (*STRICT, "-O1"), CORE_ONLY)


def build_controller() -> Path:
    """Build the virtual controller unless it is there; return the program.

    Raises
    ------
    BuildError
        There is no ``g++``, or it refused a source; its message is in the error.
    """
    return build("squid-controller", [*core_sources(), *native_sources()])


def build(name: str, sources: list[Path], tools: Toolchain = NATIVE_TOOLS) -> Path:
    """Build a program; an object is compiled once for each content of its source and headers.

    Raises
    ------
    BuildError
        The compiler is not installed, or refused a source.
    """
    if shutil.which(tools.compiler) is None:
        raise BuildError(f"{tools.compiler} is not installed (Debian: g++, gcc-arm-none-eabi)")
    BUILD.mkdir(exist_ok=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        objects = [str(path) for path in pool.map(lambda source: _object(source, tools), sources)]
    link = [tools.compiler, *tools.flags, *tools.link_flags, *objects, *tools.libraries]
    scripts = [Path(word) for word in tools.link_flags if word.endswith(".ld")]
    program = BUILD / f"{name}-{_digest(scripts, *link)}"
    _make(program, link)
    return program


def _digest(files: list[Path], *words: str) -> str:
    """Return a name for the content of files and some words."""
    digest = hashlib.sha256(" ".join(words).encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _object(source: Path, tools: Toolchain) -> Path:
    """Compile a source unless it was; return the object file."""
    is_core = source.parent == FIRMWARE / "core"
    flags = (*tools.flags, *(tools.core_flags if is_core else ()))
    folders = {FIRMWARE / "core"} if is_core else {FIRMWARE / "core", NATIVE, source.parent}
    headers = sorted(header for folder in folders for header in folder.rglob("*.h"))
    name = f"{source.parent.name}-{source.stem}-{_digest([source, *headers], tools.compiler, *flags)}.o"
    _make(BUILD / name, [tools.compiler, *flags, "-I", str(FIRMWARE), "-c", str(source)])
    return BUILD / name


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
