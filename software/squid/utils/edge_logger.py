"""A logger for the edges of threads: it never raises.

With a closed stderr `logging` itself raises ValueError (its error handling writes to stderr, too); in a thread that
watches time limits this would end the watch.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any


class EdgeLogger(logging.LoggerAdapter[logging.Logger]):
    """Logs as the logger it wraps, or not at all."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log; what goes wrong in a handler stays there."""
        kwargs.setdefault("stacklevel", 2)
        with contextlib.suppress(Exception):
            super().log(level, msg, *args, **kwargs)


def edge_logger(name: str) -> EdgeLogger:
    """Return the logger of that name for use at a thread's edge."""
    return EdgeLogger(logging.getLogger(name), {})
