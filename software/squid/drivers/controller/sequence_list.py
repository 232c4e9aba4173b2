"""The list of a hardware sequence as the controller holds it: steps as registers, and what has to be sent for a change.

The controller keeps its list from run to run, so only the steps that differ are sent again; z counts from an origin,
so that the planes of the next field, at another focus, are the same list. Knows the wire's commands and nothing of
stage or light.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from squid.drivers.controller.protocol_table import Code, StepField
from squid.drivers.controller.requests import Command, Job

Registers = Mapping[StepField, int]
"""A step: every register that matters to it."""


class SequenceList:
    """What is known of the controller's list."""

    def __init__(self) -> None:
        self._is_known = False
        self._registers: dict[StepField, int] = {}
        self._steps: list[Registers] = []

    def forget(self) -> None:
        """Take nothing for granted any more: the controller has restarted, or an upload was interrupted."""
        self._is_known = False

    def upload(self, steps: Sequence[Registers], origins: Registers) -> Job[None]:
        """Make the controller's list begin with `steps`; sends only what differs (to be used inside a job).

        Parameters
        ----------
        steps : sequence of Registers
            The list.
        origins : Registers
            Registers of the whole list.
        """
        was_known, self._is_known = self._is_known, False
        if not was_known:
            yield Command(Code.SEQUENCE_CLEAR)
            self._registers, self._steps = {}, []
        for index, step in enumerate(steps):
            if index < len(self._steps) and self._steps[index] == step:
                continue
            yield from self._write(step)
            yield Command(Code.SEQUENCE_ADD, {"index": index})
            self._steps[index : index + 1] = [step]
        yield from self._write(origins)
        self._is_known = True

    def _write(self, registers: Registers) -> Job[None]:
        for field, value in registers.items():
            if self._registers.get(field, 0) != value:
                yield Command(Code.SEQUENCE_SET, {"field": field, "value": value})
                self._registers[field] = value
