"""What a job of the link asks for, and how it fails.

A job is a generator that yields requests and gets back the status frame that answers each::

    def job() -> Job[None]:
        frame = yield Command(Code.TURN_ON_PORT, {"port": 0})      # acknowledged by the controller
        frame = yield Until(lambda f: not f.is_busy, 2.0, "move")  # the first frame for which it holds
        frame = yield Delay(0.025)

It runs in the thread of the link (its first step in the caller's): it must not block. An error of a request is raised
at its `yield`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from squid.drivers.controller.packets import StatusFrame
from squid.drivers.controller.protocol_table import COMMANDS, Code, Reason
from squid.errors import DeviceError


class CommandRefusedError(DeviceError):
    """The controller answered that it did not carry out a command.

    Parameters
    ----------
    device : str
        Label of the link.
    code : Code
        The command.
    reason : Reason
        Why, as firmware 2.0 tells; `Reason.NONE` from stock firmware.
    """

    def __init__(self, device: str, code: Code, reason: Reason) -> None:
        self.code = code
        self.reason = reason
        why = "the firmware does not say why" if reason is Reason.NONE else reason.name.lower().replace("_", " ")
        super().__init__(device, f"{code.name} was refused: {why}")


class CommandDamagedError(DeviceError):
    """A command arrived damaged, was not carried out, and may not be sent twice."""


@dataclass(frozen=True, slots=True)
class Command:
    """Send a command; answered by the frame that acknowledges it.

    A command that takes time (a move) is acknowledged when it starts.

    Attributes
    ----------
    code : Code
        The command.
    fields : mapping of str to int
        Its parameters.
    repeatable : bool or None
        Whether it may be sent again when it seems lost; None: as the protocol's table says.
    """

    code: Code
    fields: Mapping[str, int] = field(default_factory=dict)
    repeatable: bool | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether carrying it out twice is the same as once."""
        return COMMANDS[self.code].is_repeatable if self.repeatable is None else self.repeatable


@dataclass(frozen=True, slots=True)
class Until:
    """Wait for a frame.

    Attributes
    ----------
    holds : callable
        Given each new frame, whether it is the one.
    timeout_s : float
        After this `DeviceTimeoutError` is raised at the yield.
    what : str
        For the message.
    """

    holds: Callable[[StatusFrame], bool]
    timeout_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait; answered by the newest frame.

    Attributes
    ----------
    seconds : float
        How long.
    """

    seconds: float


Request = Command | Until | Delay
ResultT = TypeVar("ResultT")
Job = Generator[Request, StatusFrame, ResultT]


def send_all(commands: Iterable[Command]) -> Job[None]:
    """Send commands one after the other (to be used inside a job)."""
    for command in commands:  # noqa: UP028 - the answers cannot be sent into a tuple by `yield from`
        yield command
