"""Piezo objective positioner on the controller's DAC: fast small steps of z (section 5.10). Pure."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from squid.drivers.controller.protocol_table import PIEZO_DAC_CHANNEL, Code
from squid.drivers.controller.requests import Command
from squid.models.base import FileModel

_FULL_SCALE: Final = 65535


class PiezoOptions(FileModel):
    """A piezo that carries the objective or the sample, wired to DAC channel 7.

    Attributes
    ----------
    range_um : float
        Its stroke; z steps of up to half of it to either side move the piezo alone.
    settle_ms : float
        Time after a step until it stands still.
    inverted : bool
        Whether more voltage moves towards smaller z.
    five_volts : bool
        Whether full stroke takes 5 V; False: 2.5 V.
    """

    range_um: float = Field(gt=0)
    settle_ms: float = Field(default=20.0, ge=0)
    inverted: bool = False
    five_volts: bool = True


class Piezo:
    """Splits z between the motor and the piezo; knows where the piezo was sent.

    Parameters
    ----------
    options : PiezoOptions
        The piezo.

    Attributes
    ----------
    offset_um : float or None
        Distance from the middle of the stroke; None: not yet sent anywhere.
    """

    def __init__(self, options: PiezoOptions) -> None:
        self.options = options
        self.offset_um: float | None = None

    def reaches(self, offset_um: float) -> bool:
        """Whether the piezo alone can go there."""
        return self.offset_um is not None and abs(offset_um) <= self.options.range_um / 2

    def command(self, offset_um: float) -> Command:
        """Return the command that sends it to an offset from the middle."""
        fields = {"channel": PIEZO_DAC_CHANNEL, "value": self.value(offset_um)}
        return Command(Code.ANALOG_WRITE_ONBOARD_DAC, fields)

    def value(self, offset_um: float) -> int:
        """Return the DAC's value for an offset from the middle."""
        fraction = 0.5 + offset_um / self.options.range_um
        return round(_FULL_SCALE * (1 - fraction if self.options.inverted else fraction))

    def configure(self) -> Command:
        """Return the command that sets the DAC's range."""
        gains = 1 << PIEZO_DAC_CHANNEL if self.options.five_volts else 0
        return Command(Code.SET_DAC80508_REFDIV_GAIN, {"refdiv": 0, "gains": gains})
