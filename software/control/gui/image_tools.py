"""What a person draws on an image: a line, a rectangle, a polygon. Each tool collects points and says when it is done.

A tool knows image coordinates (column, row) only; the view turns mouse events into them and paints `points`.
"""

from __future__ import annotations

import math
from enum import StrEnum

Point = tuple[float, float]
"""Image coordinates: column, row."""


class Tool(StrEnum):
    """What the left button does."""

    PAN = "pan"
    LINE = "line"
    RECTANGLE = "rectangle"
    POLYGON = "polygon"


class Drawing:
    """A shape in the making.

    ::

        line, rectangle:  press ──drag──▶ release: done
        polygon:          press (a corner) … press … ──close()──▶ done

    Parameters
    ----------
    tool : Tool
        LINE, RECTANGLE or POLYGON.
    """

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.points: list[Point] = []
        self._hover: Point | None = None

    def press(self, point: Point) -> None:
        """The left button went down."""
        if self.tool is Tool.POLYGON:
            self.points.append(point)
        else:
            self.points = [point, point]

    def move(self, point: Point, is_down: bool, straight: bool = False) -> None:
        """The mouse moved; `straight` keeps a line horizontal, vertical or diagonal."""
        if self.tool is Tool.POLYGON:
            self._hover = point
        elif is_down and self.points:
            self.points[1] = _straightened(self.points[0], point) if straight and self.tool is Tool.LINE else point

    def undo(self) -> None:
        """Take back the last corner."""
        if self.points:
            self.points.pop()

    def closed(self) -> list[Point] | None:
        """Return the corners of the finished shape; None when there are too few, or it has no size."""
        corners = [p for n, p in enumerate(self.points) if n == 0 or p != self.points[n - 1]]
        return corners if len(corners) >= (3 if self.tool is Tool.POLYGON else 2) else None

    def outline(self) -> list[Point]:
        """Return what is to be painted now."""
        if self.tool is Tool.RECTANGLE and len(self.points) == 2:
            (left, top), (right, bottom) = self.points
            return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        if self.tool is Tool.POLYGON and self.points and self._hover is not None:
            return [*self.points, self._hover]
        return list(self.points)


def _straightened(start: Point, end: Point) -> Point:
    dx, dy = end[0] - start[0], end[1] - start[1]
    angle = round(math.atan2(dy, dx) / (math.pi / 4)) * (math.pi / 4)
    length = dx * math.cos(angle) + dy * math.sin(angle)
    return start[0] + length * math.cos(angle), start[1] + length * math.sin(angle)
