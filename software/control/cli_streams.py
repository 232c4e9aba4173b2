"""Output that may lose its reader: a run goes on when the terminal, the pager or the ``tee`` behind it has gone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import TextIOBase
from typing import TextIO


class PatientStream(TextIOBase):
    """A text stream that drops what nobody reads any more.

    Parameters
    ----------
    stream : TextIO or None
        The real one; None where there is none (a windowed Python).
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass `text` on, letters that its reader does not know as their numbers; returns its length in any case."""
        with suppress(OSError, ValueError):  # ValueError: closed
            if self._stream is not None:
                self._stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        """Flush, if there is a reader."""
        with suppress(OSError, ValueError):
            if self._stream is not None:
                self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor; `OSError` when there is none."""
        if self._stream is None:
            raise OSError("there is no stream")
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Encoding of the real stream."""
        known: str | None = getattr(self._stream, "encoding", None)  # None of a stream in memory
        return known or "utf-8"


@contextmanager
def patient_streams() -> Iterator[None]:
    """Let stdout and stderr lose their readers during the block."""
    with redirect_stdout(PatientStream(sys.stdout)), redirect_stderr(PatientStream(sys.stderr)):
        yield
