"""What a person can do with free positions and regions: an action and a button each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAction, QPushButton, QWidget

from control.gui.parts import button_for, make_action


class _Says(NamedTuple):
    """How an action looks: menu entry, button, key, icon, tooltip."""

    entry: str
    button: str
    keys: str
    image: str
    tip: str


_SAYS = {
    "add": _Says("Add position &here", "Add here", "Ctrl+Shift+A", "map-marker-plus", "Add where the stage stands"),
    "set_z": _Says(
        "&Set z of chosen positions here",
        "Set z here",
        "Ctrl+Shift+H",
        "arrow-expand-vertical",
        "Give the chosen ones the stage's z",
    ),
    "go_to": _Says("&Go to chosen position", "Go to", "Ctrl+Shift+G", "crosshairs-gps", "Move the stage there"),
    "up": _Says("Chosen positions &up", "Up", "Ctrl+Shift+Up", "arrow-up", "Take the chosen ones earlier"),
    "down": _Says("Chosen positions do&wn", "Down", "Ctrl+Shift+Down", "arrow-down", "Take them later"),
    "remove": _Says("Remo&ve chosen positions", "Remove", "Del", "delete-outline", "Remove the chosen positions"),
    "area": _Says(
        "&Make region of chosen positions",
        "Make region",
        "Ctrl+Shift+K",
        "vector-polygon",
        "Make a region whose corners are the chosen ones (three or more)",
    ),
    "remove_region": _Says(
        "Remove chosen re&gion", "Remove region", "Ctrl+Del", "delete-outline", "Remove the chosen region"
    ),
    "load": _Says(
        "&Import positions…", "Import", "Ctrl+Shift+I", "import", "Add the positions of a CSV file (also Squid's)"
    ),
    "save": _Says("E&xport positions…", "Export", "Ctrl+Shift+X", "export", "Write the positions as a CSV file"),
}
_NAMES = {"add": "addHere", "set_z": "setZHere", "go_to": "goTo"}


@dataclass(frozen=True)
class PositionsActions:
    """The actions, and their buttons by name."""

    add: QAction
    set_z: QAction
    go_to: QAction
    up: QAction
    down: QAction
    remove: QAction
    area: QAction
    remove_region: QAction
    load: QAction
    save: QAction
    buttons: dict[str, QPushButton]

    @classmethod
    def make(cls, panel: QWidget, **calls: Callable[[], object]) -> PositionsActions:
        """Make them; `calls` says by name what each does."""
        actions = {
            name: make_action(panel, says.entry, calls[name], shortcut=says.keys, image=says.image, tip=says.tip)
            for name, says in _SAYS.items()
        }
        actions["remove"].setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        buttons = {name: button_for(action, "", _SAYS[name].button) for name, action in actions.items()}
        for name, button in buttons.items():
            button.setObjectName(f"positions_{_NAMES.get(name, name)}")
        return cls(**actions, buttons=buttons)

    def in_menu_order(self) -> list[QAction | None]:
        """Return the actions as a menu has them; None: a separator."""
        places = [self.add, self.set_z, self.go_to, None, self.up, self.down, self.remove, None]
        return [*places, self.area, self.remove_region, None, self.load, self.save]

    def enable(self, *, chosen: int, positions: int, regions: int) -> None:
        """Enable what can be done with so many positions chosen, and so many positions and regions there."""
        for action in (self.set_z, self.remove, self.up, self.down):
            action.setEnabled(chosen > 0)
        self.go_to.setEnabled(chosen == 1)
        self.area.setEnabled(chosen >= 3)
        self.save.setEnabled(positions > 0)
        self.remove_region.setEnabled(regions > 0)
