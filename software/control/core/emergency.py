"""The emergency stop: light off and stage stopped through the safety lane, whatever else hangs.

Commands first, then tells whoever must not go on; waits for nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from control.core.handwork import HandTools
from control.core.safe_state import SafeState
from squid.utils.deadlines import DeadlineWatch

_log = logging.getLogger(__name__)

ANSWER_S = 2.0
"""How long light and stage have to confirm; what has not by then counts as not confirmed."""


class EmergencyStop:
    """Stops everything; call it from any thread.

    Parameters
    ----------
    tools : HandTools
        The lane and the devices.
    tell : tuple of callable
        Told afterwards, in the calling thread: live view, moves, runs. Each must return at once; one that raises keeps
        no other from being told.
    """

    def __init__(self, tools: HandTools, tell: tuple[Callable[[], object], ...]) -> None:
        self._tools = tools
        self._tell = tell
        self._watch = DeadlineWatch()

    def __call__(self) -> Future[SafeState]:
        """Command light off and stage stop.

        Returns
        -------
        Future of SafeState
            Settled after at most `ANSWER_S` with what was confirmed.
        """
        _log.warning("emergency stop")
        answer = _Answer(*self._tools.make_safe())
        self._watch.arm("emergency stop", ANSWER_S, lambda _: answer.conclude())
        for told in self._tell:
            try:
                told()
            except Exception:  # a listener's edge: the others must be told
                _log.exception("emergency stop: %r failed", told)
        return answer.future

    def close(self) -> None:
        """End the thread that bounds the answers."""
        self._watch.close()


class _Answer:
    """Waits for both commands without a thread of its own."""

    def __init__(self, dark: Future[Any], stopped: Future[Any]) -> None:
        self.future: Future[SafeState] = Future()
        self._commands = (dark, stopped)
        self._settling = threading.Lock()
        for command in self._commands:
            command.add_done_callback(self._look)

    def _look(self, _: Future[Any]) -> None:
        if all(command.done() for command in self._commands):
            self.conclude()

    def conclude(self) -> None:
        """Say what is known now; only the first time counts."""
        if self._settling.acquire(blocking=False):
            state = SafeState(*(command.done() and command.exception() is None for command in self._commands))
            _log.log(logging.INFO if state.dark else logging.ERROR, "emergency stop: %s", state)
            self.future.set_result(state)
