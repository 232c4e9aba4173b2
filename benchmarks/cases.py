"""The cases of `acquisition.py`: what is imaged, as plain data that every program under test is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SIDE_PX = 2048
BYTES_PER_FRAME = SIDE_PX * SIDE_PX * 2
EXPOSURE_MS = 10.0
READOUT_MS = 10.0
A1_UM = (11310.0, 37750.0)
"""In the middle of well D1 of the simulated plate: useq counts rows towards -y, its own rows run towards +y."""


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes
    ----------
    wells : tuple of (int, int)
        Rows and columns, from A1.
    grid : int
        Fields along each side in a well.
    channels, planes, times : int
        Extent of the other axes.
    stored : bool
        False: frames are thrown away.
    instant : bool
        Stage and read-out take no time, so that the disk is the limit.
    exposure_ms : float
        Of each frame.
    """

    wells: tuple[int, int]
    grid: int
    channels: int = 2
    planes: int = 3
    times: int = 1
    stored: bool = True
    instant: bool = False
    exposure_ms: float = EXPOSURE_MS

    @property
    def frames(self) -> int:
        return self.wells[0] * self.wells[1] * self.grid**2 * self.channels * self.planes * self.times

    def sequence(self, channels: Sequence[str]) -> dict[str, Any]:
        """The case as a useq-schema sequence, with the program's own names for the channels."""
        rows, columns = self.wells
        wells = [(row, column) for row in range(rows) for column in range(columns)]
        sequence: dict[str, Any] = {
            "axis_order": "tpgcz",
            "stage_positions": {
                "plate": "96-well",
                "a1_center_xy": list(A1_UM),
                "selected_wells": [[row for row, _ in wells], [column for _, column in wells]],
                "well_points_plan": {
                    "rows": self.grid,
                    "columns": self.grid,
                    "fov_width": 665.0,
                    "fov_height": 665.0,
                },
            },
            "channels": [{"config": name, "exposure": self.exposure_ms} for name in channels[: self.channels]],
        }
        if self.planes > 1:
            sequence["z_plan"] = {"range": 2.0 * (self.planes - 1), "step": 2.0}
        if self.times > 1:
            sequence["time_plan"] = {"interval": 0, "loops": self.times}
        return sequence


CASES = {
    "reference": Case(wells=(4, 6), grid=2),
    "ceiling": Case(wells=(4, 6), grid=2, instant=True),
    "storage": Case(wells=(4, 6), grid=2, instant=True, exposure_ms=1.0),
    "null": Case(wells=(4, 6), grid=2, stored=False),
    "time_lapse": Case(wells=(2, 2), grid=1, channels=1, planes=1, times=144),
}
