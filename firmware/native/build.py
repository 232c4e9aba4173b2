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

FIRMWARE = Path(__file__).resolve().parents[1]
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
    return sorted((FIRMWARE / "native").rglob("*.cpp"))


def build_controller() -> Path:
    """Build the virtual controller unless it is there; return the program.

    Raises
    ------
    BuildError
        There is no ``g++``, or it refused a source; its message is in the error.
    """
    return build("squid-controller", core_sources(), native_sources())


def build(name: str, core: list[Path], others: list[Path], compiler: str = "g++") -> Path:
    """Build a program from sources of the core and others.

    Parameters
    ----------
    name : str
        File name of the program.
    core, others : list of Path
        Sources; those of the core are compiled without exceptions and run-time types.
    compiler : str
        Command of the compiler.
    """
    if shutil.which(compiler) is None:
        raise BuildError(f"{compiler} is not installed (Debian: apt install g++)")
    folder = BUILD / f"{name}-{_digest([*core, *others], compiler)}"
    program = folder / name
    if program.exists():
        return program
    work = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        _compile_and_link(work, name, core, others, compiler)
        _publish(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return program


def _digest(sources: list[Path], compiler: str) -> str:
    """Return a name for the content of the sources and of every header."""
    digest = hashlib.sha256(" ".join((compiler, *STRICT, *CORE_ONLY)).encode())
    headers = {header for folder in {s.parent for s in sources} for header in folder.rglob("*.h")}
    headers |= set((FIRMWARE / "core").glob("*.h"))
    for path in sorted({*sources, *headers}):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _compile_and_link(work: Path, name: str, core: list[Path], others: list[Path], compiler: str) -> None:
    commands, objects = [], []
    for source in [*core, *others]:
        target = work / f"{source.parent.name}-{source.stem}.o"
        extra = CORE_ONLY if source in core else ()
        include = ("-I", str(FIRMWARE))
        commands.append([compiler, *STRICT, *extra, "-O1", *include, "-c", str(source), "-o", str(target)])
        objects.append(str(target))
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        list(pool.map(_run, commands))
    _run([compiler, *objects, "-o", str(work / name)])


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BuildError(f"{' '.join(command)}\n{result.stderr}")


def _publish(work: Path, folder: Path) -> None:
    """Put the finished folder in its place; whoever comes second finds the same program there."""
    try:
        work.rename(folder)
    except OSError:
        if not folder.exists():
            raise


if __name__ == "__main__":
    sys.stdout.write(f"{build_controller()}\n")
