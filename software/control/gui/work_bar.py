"""What takes long, in words, with how far it is and a button that cancels it; nothing is shown while nothing does.

::

    submit_with_progress(manager, bar.begin("Reading plate.yaml"), "open plan", read, …)

What ends at once is never shown. Several may be under way: the newest is shown, and cancelled by the button.
"""

from __future__ import annotations

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from control.gui import theme

SHOWN_AFTER_MS = 400
"""What takes shorter is not shown: a line that flickers tells nothing."""

_BAR_PX = 160


class Work(QObject):
    """One piece of work: the display that `squid.utils.task_bridge.submit_with_progress` asks for.

    Attributes
    ----------
    words : str
        What is done, as a person says it.
    canceled : pyqtSignal()
        A person does not want it any more.
    changed : pyqtSignal()
        It is further, or was cancelled.
    ended : pyqtSignal(object)
        In whatever way; itself.
    """

    canceled = pyqtSignal()
    changed = pyqtSignal()
    ended = pyqtSignal(object)

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words
        self.most = self.value = 0
        self.is_cancelled = False

    def setRange(self, _: int, maximum: int) -> None:  # noqa: N802 - as QProgressBar has it
        """Set what 100 % is."""
        self.most = maximum

    def setValue(self, progress: int) -> None:  # noqa: N802 - as QProgressBar has it
        """Show how far it is."""
        self.value = progress
        self.changed.emit()

    def reset(self) -> None:
        """Show it no more."""
        self.ended.emit(self)

    def cancel(self) -> None:
        """Ask for its end."""
        self.is_cancelled = True
        self.canceled.emit()
        self.changed.emit()


class WorkBar(QWidget):
    """A line for what takes long.

    Parameters
    ----------
    is_narrow : bool
        Words over the bar, for a column; otherwise beside it.
    """

    def __init__(self, *, is_narrow: bool = False) -> None:
        super().__init__()
        self.setObjectName("workBar")
        self._works: list[Work] = []
        self._text = ""
        self.words, self.bar = QLabel(), QProgressBar()
        self.words.setObjectName("workWords")
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar.setTextVisible(False)
        if not is_narrow:
            self.bar.setFixedWidth(_BAR_PX)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setObjectName("workCancel")
        self.cancel_button.setToolTip("Stop this; what it was to make is not made")
        self.cancel_button.clicked.connect(self._cancel)
        layout = QGridLayout(self)
        layout.setContentsMargins(theme.GAP_PX, 0, theme.GAP_PX, 0)
        layout.setVerticalSpacing(theme.GAP_PX // 2)
        layout.addWidget(self.words, 0, 0, 1, 2 if is_narrow else 1)
        layout.addWidget(self.bar, 1 if is_narrow else 0, 0 if is_narrow else 1)
        layout.addWidget(self.cancel_button, 1 if is_narrow else 0, 1 if is_narrow else 2)
        layout.setColumnStretch(0, 1)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(SHOWN_AFTER_MS)
        self._delay.timeout.connect(self._show)
        self.hide()

    @property
    def text(self) -> str:
        """What is said, whole: a narrow place shows its ends only."""
        return self._text

    def begin(self, words: str) -> Work:
        """Return the display of one more piece of work, to be handed to `submit_with_progress`."""
        work = Work(words)
        self._works.append(work)
        work.changed.connect(self._follow)
        work.ended.connect(self._ended)
        if not self.isVisibleTo(self.parentWidget()):
            self._delay.start()
        self._follow()
        return work

    def resizeEvent(self, _: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show as much of the words as there is room for."""
        self._elide()

    def _elide(self) -> None:
        middle = Qt.TextElideMode.ElideMiddle
        width = self.words.width() if self.isVisible() else 0
        text = self.words.fontMetrics().elidedText(self._text, middle, width) if width else self._text
        self.words.setText(text)
        self.words.setToolTip(self._text if text != self._text else "")

    def _show(self) -> None:
        self.setVisible(bool(self._works))

    def _ended(self, work: Work) -> None:
        if work in self._works:
            self._works.remove(work)
        self._follow()

    def _cancel(self) -> None:
        if self._works:
            self._works[-1].cancel()

    def _follow(self) -> None:
        if not self._works:
            self._delay.stop()
            self.hide()
            return
        work = self._works[-1]
        others = f" ({len(self._works) - 1} more)" if len(self._works) > 1 else ""
        self._text = f"{'Cancelling: ' if work.is_cancelled else ''}{work.words} …{others}"
        self._elide()
        self.bar.setRange(0, work.most if work.value else 0)  # 0 to 0: it moves to and fro
        self.bar.setValue(work.value)
        self.cancel_button.setEnabled(not work.is_cancelled)
