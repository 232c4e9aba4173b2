"""Times, numbers of things, and errors as people say them."""

from __future__ import annotations

from squid.errors import PreflightError


def duration(seconds: float) -> str:
    """Return a time as people say it: ``42 s``, ``7 min``, ``3 h 20 min``, ``2 d 4 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number of things: ``1 well``, ``2 wells``; `many` where the plural is not made with an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def in_words(error: BaseException | None) -> str:
    """Return what an error says; of a refused plan, every refusal."""
    if isinstance(error, PreflightError):
        return "; ".join(str(refusal) for refusal in error.refusals)
    return str(error) or repr(error)
