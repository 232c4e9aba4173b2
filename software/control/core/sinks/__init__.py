"""Where frames go: one protocol, one file per format; `make_sink` chooses."""

from control.core.sinks.factory import FORMATS, make_sink
from control.core.sinks.sink import Sink

__all__ = ["FORMATS", "Sink", "make_sink"]
