"""What a person sees of a run on the command line: a bar on a terminal, quiet lines otherwise.

The run's threads only leave counts and notes here (`RunProgress.hear`); the main thread draws them, so a terminal that
does not take output never holds up a run.
"""

from __future__ import annotations

from collections import deque
from typing import NoReturn, TextIO

from tqdm import tqdm

from control.core.facts import Fact, FrameMissing, FrameStored, Hung, Paused, Resumed, RunStarted, Waiting
from control.core.lost_frames import LOST
from control.core.words import counted, duration

NOTES_KEPT = 100
"""So many notes wait to be drawn; older ones are dropped, they stand in the run's log."""


class RunProgress:
    """Follows one run.

    Parameters
    ----------
    stream : file or None
        Where to draw; None: nowhere (a program without a console).
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._planned = 0
        self._done = 0
        self._missing = 0
        self._notes: deque[str] = deque(maxlen=NOTES_KEPT)
        self._bar: tqdm[NoReturn] | None = None
        self._tenths_said = 0

    def hear(self, fact: Fact) -> None:
        """Take note of a fact, in the thread that says it; facts come one at a time."""
        match fact:
            case RunStarted():
                self._done = fact.already_stored
                self._tenths_said = 10 * self._done // max(1, fact.layout.frames_planned)
                self._planned = fact.layout.frames_planned
                more = f", {fact.already_stored} stored already" if fact.already_stored else ""
                self._notes.append(f"{counted(self._planned, 'frame')}{more}, about {duration(fact.estimated_s)}")
                if lost := sum(reason == LOST for reason in fact.missing.values()):
                    self._notes.append(
                        f"{counted(lost, 'stored frame')} not on disk any more: taken again if still due"
                    )
            case FrameStored():
                self._done += 1
            case FrameMissing():
                self._missing += 1
                self._notes.append(f"frame {fact.index} is missing: {fact.reason}")
            case Waiting(seconds=seconds) if seconds is None or seconds > 1:
                self._notes.append(f"waits{'' if seconds is None else f' {duration(seconds)}'}: {fact.reason}")
            case Paused():
                self._notes.append("paused")
            case Resumed():
                self._notes.append("goes on")
            case Hung():
                self._notes.append(f"{fact.device}.{fact.call} hangs; stacks are in {fact.dump}")

    def draw(self) -> None:
        """Show what has come since the last call; main thread only."""
        if self._stream is None or not self._planned:
            return
        if self._stream.isatty():
            self._draw_bar(self._stream)
        else:
            self._draw_lines(self._stream)

    def close(self) -> None:
        """Show the last state and leave the line."""
        self.draw()
        if self._bar is not None:
            self._bar.close()

    def _draw_bar(self, stream: TextIO) -> None:
        if self._bar is None:
            self._bar = tqdm(
                total=self._planned, initial=self._done, unit="frame", dynamic_ncols=True, file=stream, mininterval=0.2
            )
        while self._notes:
            self._bar.write(self._notes.popleft(), file=stream)
        if self._missing:
            self._bar.set_postfix(missing=self._missing, refresh=False)
        self._bar.update(self._done - self._bar.n)

    def _draw_lines(self, stream: TextIO) -> None:
        while self._notes:
            print(self._notes.popleft(), file=stream, flush=True)
        tenths = 10 * self._done // self._planned
        if tenths > self._tenths_said:
            self._tenths_said = tenths
            print(f"{self._done} of {counted(self._planned, 'frame')}", file=stream, flush=True)
