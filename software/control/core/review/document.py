"""A small document of titles, sentences and tables, written as plain text, Markdown or HTML."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path

from control.core.whole_file import whole_file
from squid.errors import ConfigurationError

_NUMBER = re.compile(r"[+-]?[0-9.]+ ?%?")


@dataclass(frozen=True, slots=True)
class Table:
    """A table; columns of numbers are right-aligned."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def is_number(self) -> tuple[bool, ...]:
        """Whether each column holds nothing but numbers (or shares in %)."""
        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.head)
        return tuple(bool(column) and all(map(_NUMBER.fullmatch, column)) for column in columns)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A title, sentences, and tables under them."""

    title: str
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A title and chapters."""

    title: str
    chapters: tuple[Chapter, ...]

    def text(self) -> str:
        """Return it as plain text."""
        parts = [self.title, "=" * len(self.title)]
        for chapter in self.chapters:
            parts += ["", chapter.title, "-" * len(chapter.title), *chapter.lines]
            for table in chapter.tables:
                parts += ["", *_text_table(table)]
        return "\n".join(parts) + "\n"

    def markdown(self) -> str:
        """Return it as Markdown (GitHub's tables)."""
        parts = [f"# {_md(self.title)}"]
        for chapter in self.chapters:
            parts += ["", f"## {_md(chapter.title)}", ""]
            parts += [f"- {_md(line)}" for line in chapter.lines]
            for table in chapter.tables:
                parts += [
                    "",
                    _md_row(table.head),
                    _md_row(tuple("---:" if right else "---" for right in table.is_number)),
                ]
                parts += [_md_row(tuple(_md(cell) for cell in row)) for row in table.rows]
        return "\n".join(parts) + "\n"

    def html(self, *, with_style: bool = True) -> str:
        """Return it as one HTML page; without its style for who has one of his own."""
        body = [f"<h1>{html.escape(self.title)}</h1>"]
        for chapter in self.chapters:
            body.append(f"<h2>{html.escape(chapter.title)}</h2>")
            body += [f"<p>{html.escape(line)}</p>" for line in chapter.lines]
            body += [_html_table(table) for table in chapter.tables]
        style = f"<style>{_STYLE}</style>" if with_style else ""
        return (
            f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{html.escape(self.title)}</title>'
            f"{style}</head><body>\n" + "\n".join(body) + "\n</body></html>\n"
        )

    def save(self, path: Path) -> None:
        """Write it whole, as the name's end says: ``.txt``, ``.md`` or ``.html``.

        Raises
        ------
        ConfigurationError
            Another end; nothing was written.
        StorageError
            It could not be written; a file that was there is intact.
        """
        writers = {".txt": self.text, ".md": self.markdown, ".html": self.html}
        if path.suffix.lower() not in writers:
            raise ConfigurationError(f"'{path.suffix}' is no kind of report", file=path, allowed=", ".join(writers))
        with whole_file(path) as beside:
            beside.write_text(writers[path.suffix.lower()](), encoding="utf-8")


_STYLE = (
    "body{font-family:sans-serif;max-width:60em;margin:2em auto}p{margin:2px 0}"
    "td,th{padding:2px 10px;border-bottom:1px solid #888}"
)


def _text_table(table: Table) -> list[str]:
    widths = [max(map(len, column)) for column in zip(table.head, *table.rows, strict=True)]
    columns = list(zip(widths, table.is_number, strict=True))
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width) for cell, (width, right) in zip(row, columns, strict=True)
        ).rstrip()
        for row in (table.head, *table.rows)
    ]


def _md(text: str) -> str:
    for sign in "\\`*_|<>#[]":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")


def _md_row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _html_table(table: Table) -> str:
    def line(row: tuple[str, ...], tag: str) -> str:
        cells = (
            f'<{tag} align="{"right" if right else "left"}">{html.escape(cell)}</{tag}>'
            for cell, right in zip(row, table.is_number, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>"

    body = "".join(line(row, "td") for row in table.rows)
    return f'<table cellspacing="0">{line(table.head, "th")}{body}</table>'
