"""A line under the navigation that says what a person must know now: an emergency stop, a fault, a refusal."""

from __future__ import annotations

from enum import Enum

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QMessageBox, QPushButton, QWidget

from control.gui import theme
from control.gui.parts import icon, press_action


class Weight(Enum):
    """How a message looks: background colour and icon."""

    NOTE = (theme.LINE, "information-outline")
    WARNING = ("#5F4B00", "alert-outline")
    FAULT = ("#8C1D18", "alert-octagon")


class MessageBar(QWidget):
    """Shows the newest message until it is put away; a fault is not covered by anything lighter."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("messageBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._weight = Weight.NOTE
        self._details = ""
        self._image = QLabel()
        self.text = QLabel()
        self.text.setObjectName("message")
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details_button = QPushButton("Details")
        self.details_button.setToolTip("Show everything that is known about it")
        self.details_button.clicked.connect(self._show_details)
        self.dismiss_button = QPushButton("OK")
        self.dismiss_button.setObjectName("dismissButton")
        self.dismiss_button.setToolTip("Put this message away")
        self.dismiss_button.clicked.connect(self.dismiss)
        self.dismiss_action = press_action(self.dismiss_button, "&Put the message away", "Ctrl+Alt+K", "check")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 4)
        layout.addWidget(self._image)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.details_button)
        layout.addWidget(self.dismiss_button)
        self.hide()

    def say(self, text: str, weight: Weight = Weight.NOTE, details: str = "") -> None:
        """Show a message.

        Parameters
        ----------
        text : str
            One or two sentences.
        weight : Weight
            A message lighter than the one shown is left to the log.
        details : str
            For a button of their own, for example a stack.
        """
        order = list(Weight)
        if self.isVisible() and order.index(weight) < order.index(self._weight):
            return
        self._weight, self._details = weight, details
        colour, image = weight.value
        self.setStyleSheet(f"#messageBar {{ background: {colour}; }} #messageBar QLabel {{ color: white; }}")
        self._image.setPixmap(icon(image, "white").pixmap(20, 20))
        self.text.setText(text)
        self.details_button.setVisible(bool(details))
        self.show()

    def dismiss(self) -> None:
        """Put the message away."""
        self.hide()

    def _show_details(self) -> None:
        box = QMessageBox(QMessageBox.Icon.Information, "Details", self.text.text(), parent=self)
        box.setDetailedText(self._details)
        box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
