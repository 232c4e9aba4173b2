"""A painter that ends with its block, also when the block fails.

Python keeps the stack of an error that nobody caught, and with it a local painter. Qt then goes on with a painter that
is still active, and the process dies of it: so a painter is never left to Python's clearing up.
"""

from __future__ import annotations

from types import TracebackType

from PyQt5.QtGui import QPaintDevice, QPainter


class painting:  # noqa: N801 - used as a statement
    """``with painting(self) as painter:``.

    Parameters
    ----------
    device : QPaintDevice
        Widget, pixmap or image to paint on.
    is_smooth : bool
        Whether edges are antialiased.
    """

    def __init__(self, device: QPaintDevice, *, is_smooth: bool = False) -> None:
        self._painter = QPainter(device)
        self._painter.setRenderHint(QPainter.RenderHint.Antialiasing, is_smooth)

    def __enter__(self) -> QPainter:
        return self._painter

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._painter.end()
