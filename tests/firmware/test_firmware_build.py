"""The build of the native programs: what it says when it cannot, and that it builds once."""

from __future__ import annotations

import pytest
from firmware.native import build


def test_missing_compiler_is_named():
    with pytest.raises(build.BuildError, match="no-such-compiler is not installed"):
        build.build("program", [], build.Toolchain("no-such-compiler", ()))


def test_refused_source_leaves_no_program_and_the_compilers_message(compiler, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "BUILD", tmp_path / "build")
    source = tmp_path / "broken.cpp"
    source.write_text("int main() { return nothing; }\n", encoding="utf-8")

    with pytest.raises(build.BuildError, match="nothing"):
        build.build("program", [source])
    assert list((tmp_path / "build").iterdir()) == []


def test_program_is_built_once_for_each_content(compiler, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "BUILD", tmp_path / "build")
    source = tmp_path / "program.cpp"
    source.write_text("int main() { return 0; }\n", encoding="utf-8")
    first = build.build("program", [source])
    built_ns = first.stat().st_mtime_ns

    assert build.build("program", [source]) == first
    assert first.stat().st_mtime_ns == built_ns
    source.write_text("int main() { return 1; }\n", encoding="utf-8")
    assert build.build("program", [source]) != first
