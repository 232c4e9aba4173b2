"""The menu bar: what can always be done, and what each page can do.

Two pages may use one key for the same word (Ctrl+R starts what the page shows): it belongs to the page that is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PyQt5.QtWidgets import QAction, QMainWindow, QMenu

TITLES = ("&File", "&Look", "&Plan", "&Run", "Re&view", "&Window", "&Help")


class Menus:
    """The menus of a window.

    Parameters
    ----------
    window : QMainWindow
        Gets them.
    """

    def __init__(self, window: QMainWindow) -> None:
        bar = window.menuBar()
        assert bar is not None  # every main window has one
        self.menus: dict[str, QMenu] = {}
        self._of_pages: dict[str, list[QAction]] = {}
        self._keys: dict[QAction, str] = {}
        for title in TITLES:
            menu = bar.addMenu(title)
            assert menu is not None
            menu.setToolTipsVisible(True)
            self.menus[title.replace("&", "").lower()] = menu

    def fill(self, name: str, actions: Iterable[QAction | None]) -> None:
        """Put actions into a menu; None is a separator."""
        for action in actions:
            if action is None:
                self.menus[name].addSeparator()
            else:
                self.menus[name].addAction(action)

    def fill_page(self, name: str, actions: Iterable[QAction | None]) -> None:
        """Put a page's actions into its menu."""
        actions = list(actions)
        self.fill(name, actions)
        self._of_pages[name] = [action for action in actions if action is not None]
        self._keys |= {action: action.shortcut().toString() for action in self._of_pages[name]}

    def show_page(self, name: str) -> None:
        """Give each key that several pages use to the page that is shown."""
        shared = _used_twice([self._keys[action] for actions in self._of_pages.values() for action in actions])
        for page, actions in self._of_pages.items():
            for action in actions:
                key = self._keys[action]
                if key in shared:
                    action.setShortcut(key if page == name else "")


def _used_twice(keys: list[str]) -> set[str]:
    counts: Mapping[str, int] = {key: keys.count(key) for key in keys if key}
    return {key for key, count in counts.items() if count > 1}
