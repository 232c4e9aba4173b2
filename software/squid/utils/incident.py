"""What is kept of an incident: stacks, tasks, the last device commands, queues; one folder each.

Knows neither run nor device: it is given where to write and what is known.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from squid.utils.thread_dump import dump_all_stacks

_COMMANDS = 1024


class CommandLog:
    """The last device commands, of all threads; 1 µs each."""

    def __init__(self, size: int = _COMMANDS) -> None:
        self._commands: deque[tuple[float, str, str, Any]] = deque(maxlen=size)

    def note(self, device: str, command: str, detail: Any = None) -> None:
        """Note one command as it is sent; `detail` is written as its ``str`` if there is an incident."""
        self._commands.append((time.monotonic(), device, command, detail))

    def lines(self) -> list[dict[str, Any]]:
        """Return them, the oldest first, with their age in seconds."""
        now = time.monotonic()
        return [
            {
                "age_s": round(now - at, 6),
                "device": device,
                "command": command,
                "detail": None if detail is None else str(detail),
            }
            for at, device, command, detail in self._commands.copy()
        ]


def write_incident(
    folder: Path,
    reason: str,
    *,
    tasks: Sequence[Mapping[str, Any]] = (),
    commands: CommandLog | None = None,
    queue_sizes: Mapping[str, int] | None = None,
) -> Path:
    """Write a bundle and return its folder.

    Parameters
    ----------
    folder : Path
        The run folder, or the user's log folder.
    reason : str
        What happened, naming the task or the device call.
    tasks : sequence of mapping
        `WorkerManager.task_table`.
    commands : CommandLog, optional
        What was sent to devices.
    queue_sizes : mapping, optional
        Name of a queue -> items in it.
    """
    now = datetime.now(UTC)
    bundle = folder / f"incident-{now:%Y%m%dT%H%M%S.%f}Z"
    bundle.mkdir(parents=True)
    dump_all_stacks(bundle / "stacks.log", reason)
    summary = {"reason": reason, "utc": now.isoformat(), "queue_sizes": dict(queue_sizes or {}), "tasks": list(tasks)}
    (bundle / "incident.json").write_text(json.dumps(summary, indent=1, default=str))
    lines = commands.lines() if commands is not None else []
    (bundle / "commands.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return bundle
