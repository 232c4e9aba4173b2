"""One planned exposure, and where its frame goes in the data set."""

from __future__ import annotations

from dataclasses import dataclass

from squid.models.geometry import StagePosition


@dataclass(frozen=True, slots=True)
class AcquisitionEvent:
    """One planned exposure.

    Attributes
    ----------
    index : int
        Position in the plan, 0 …; the identity of a frame through run, journal, files and resume.
    image : int
        Which image of the data set (`DatasetLayout.images`): one per field of a well, or per free position.
    t, c, z : int
        Place in that image: time point, channel (index into `DatasetLayout.channels`), z plane.
    target : StagePosition
        Where the stage is sent, µm, channel z offset included.
    channel : str
        Name of the channel.
    exposure_ms : float
        Exposure time.
    min_start_s : float or None
        Earliest start, seconds after the clock of time points was last started; None: at once.
    keep_shutter_open : bool
        The light may stay on until the next event.
    restarts_clock : bool
        The clock of time points starts again with this event (useq's `reset_event_timer`).
    """

    index: int
    image: int
    t: int
    c: int
    z: int
    target: StagePosition
    channel: str
    exposure_ms: float
    min_start_s: float | None = None
    keep_shutter_open: bool = False
    restarts_clock: bool = False
