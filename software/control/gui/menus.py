"""The menu bar: what can always be done, and what each page can do.

Two pages may use one key for the same word (Ctrl+R starts what the page shows): it belongs to the page that is shown.
"""

from __future__ import annotations

from collections.abc import Iterable

from PyQt5.QtWidgets import QAction, QMainWindow, QMenu, QWidget

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
        self._keys: dict[str, dict[QAction, str]] = {}
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

    def fill_page(self, name: str, actions: Iterable[QAction | None], page: QWidget) -> None:
        """Put a page's actions into its menu; `page` may have more of them, on its widgets."""
        actions = list(actions)
        self.fill(name, actions)
        all_of_them = {*(action for action in actions if action is not None), *page.findChildren(QAction)}
        self._keys[name] = {action: key for action in all_of_them if (key := action.shortcut().toString())}

    def show_page(self, name: str) -> None:
        """Give each key that several pages use to the page that is shown."""
        for page, keys in self._keys.items():
            elsewhere = {key for other, theirs in self._keys.items() if other != page for key in theirs.values()}
            for action, key in keys.items():
                if key in elsewhere:
                    action.setShortcut(key if page == name else "")
