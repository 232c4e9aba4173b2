"""Call somebody else's function without letting its exception through.

Owns nothing; knows no thread and no Qt.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from squid.utils.edge_logger import edge_logger

T = TypeVar("T")

_log = edge_logger(__name__)


@dataclass(frozen=True)
class CallbackResult(Generic[T]):
    """What a guarded call gave.

    Attributes
    ----------
    success : bool
        Whether it returned.
    value : object or None
        What it returned; None if it raised.
    error : Exception or None
        What it raised.
    stack_trace : str or None
        The formatted stack of `error`.
    """

    success: bool
    value: T | None = None
    error: Exception | None = None
    stack_trace: str | None = None

    def raise_if_error(self) -> None:
        """Raise `error` again, if there is one."""
        if self.error is not None:
            raise self.error


def safe_callback(
    callback: Callable[..., T],
    *args: Any,
    on_error: Callable[[Exception, str], object] | None = None,
    **kwargs: Any,
) -> CallbackResult[T]:
    """Call `callback` in the calling thread; an exception becomes part of the result and is logged.

    Parameters
    ----------
    callback : callable
        Called with `args` and `kwargs`.
    on_error : callable, optional
        Told the exception and its formatted stack. Its own exception is logged, too.

    Returns
    -------
    CallbackResult
        Exceptions are held in it; SystemExit and KeyboardInterrupt pass through.
    """
    try:
        return CallbackResult(True, callback(*args, **kwargs))
    except Exception as error:
        _log.exception("callback %r failed", callback)
        stack = traceback.format_exc()
        if on_error is not None:
            safe_callback(on_error, error, stack)
        return CallbackResult(False, None, error, stack)
