"""The line above an image, the same on each page: zoom, marks, what else a page has, and a message."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QAction, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from control.gui import theme
from control.gui.image_view import ImageView
from control.gui.parts import make_action, submenu


class ViewTools(QWidget):
    """Buttons for a view.

    Parameters
    ----------
    view : ImageView
        Is shown larger or smaller, and marked.
    draws : sequence of QAction
        What the page can draw on the image.
    shows : sequence of QAction
        How else the page can show it.
    """

    def __init__(self, view: ImageView, draws: Sequence[QAction] = (), shows: Sequence[QAction] = ()) -> None:
        super().__init__()
        self.saturation_action = make_switch(
            self, "Mark &saturated pixels", "Ctrl+J", "Show pixels at the largest grey value in magenta", "flare"
        )
        self.cross_action = make_switch(
            self, "Cross in the &middle", "Ctrl+M", "Show the middle of the image", "crosshairs"
        )
        self.saturation_action.toggled.connect(view.mark_saturated)
        self.cross_action.toggled.connect(view.show_cross)
        self.message = QLabel()
        self._groups = (zoom_actions(self, lambda: view), draws, (*shows, self.saturation_action, self.cross_action))
        self._lay_out()

    def menu_actions(self) -> list[QAction | None]:
        """Return the actions in menu order; None separates."""
        zoom = submenu(self, "&Zoom", self._groups[0])
        listed: list[QAction | None] = [zoom]
        for group in filter(None, self._groups[1:]):
            listed += [None, *group]
        return listed

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Show a line above the image; the whole text is in its tooltip."""
        self.message.setStyleSheet(f"color: {theme.BAD if is_bad else theme.FAINT}")
        self.message.setText(text)
        self.message.setToolTip(text)

    def _lay_out(self) -> None:
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        for group in self._groups:
            for action in group:
                line.addWidget(_button(action))
            if group:
                line.addSpacing(theme.GAP_PX)
        self.message.setObjectName("viewMessage")
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.message.setAlignment(Qt.Alignment(Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(self.message, 1)


def zoom_actions(parent: QWidget, view_of: Callable[[], ImageView | None]) -> list[QAction]:
    """Return what zooms.

    Parameters
    ----------
    parent : QWidget
        Where the keys work: the page.
    view_of : callable
        Returns the view that is looked at; None: there is none just now.
    """

    def zooming(zoom: Callable[[ImageView], None]) -> Callable[[], None]:
        def act() -> None:
            view = view_of()
            if view is not None:
                zoom(view)

        return act

    wanted: tuple[tuple[str, str, str, str, Callable[[ImageView], None]], ...] = (
        ("Zoom &in", "Ctrl++", "Zoom in; also Alt and the wheel", "magnify-plus-outline", ImageView.zoom_in),
        ("Zoom &out", "Ctrl+-", "Zoom out; also Alt and the wheel", "magnify-minus-outline", ImageView.zoom_out),
        ("&Fit", "Ctrl+0", "Show the whole image", "fit-to-page-outline", ImageView.zoom_to_fit),
        (
            "&1:1",
            "Ctrl+9",
            "Show each pixel as one pixel of the screen",
            "numeric-1-box-outline",
            ImageView.zoom_to_pixels,
        ),
    )
    return [
        make_action(parent, text, zooming(zoom), shortcut=keys, tip=tip, image=image)
        for text, keys, tip, image, zoom in wanted
    ]


def make_switch(
    parent: QWidget,
    text: str,
    shortcut: str,
    tip: str,
    image: str,
    on_triggered: Callable[[], object] = lambda: None,
) -> QAction:
    """Return an action that is on or off; parameters as of `make_action`."""
    action = make_action(parent, text, on_triggered, shortcut=shortcut, tip=tip, image=image)
    action.setCheckable(True)
    return action


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setAutoRaise(True)
    button.setIconSize(QSize(20, 20))
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button
