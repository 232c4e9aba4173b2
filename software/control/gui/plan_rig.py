"""What the Plan page asks of the instrument: plates, presets, where the stage stands, what is in the beam."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from control.core.planning import PlanDraft, takes_z_of_stage
from control.core.schedule.places import find_plate
from control.core.seen_focus import FocusDoubt
from control.core.session import Session
from squid.models.channel import ChannelPreset
from squid.models.geometry import StagePosition
from squid.models.plate import PlateGeometry


class PlanRig:
    """The instrument as far as plans are concerned; reads snapshots only, so it can be asked at any time.

    Parameters
    ----------
    session : Session
        An open one.

    Attributes
    ----------
    objective : str
        The one in the beam, as last seen.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.objective = session.machine.objective
        self._plates = session.presets.plates()

    @property
    def position(self) -> StagePosition | None:
        """Where the stage stands; None: not known, or not homed."""
        state = self._session.monitor.newest
        return state.position if state is not None and state.is_homed else None

    def z_now_um(self) -> float | None:
        """Return where the stage's z stands; None: not known."""
        place = self.position
        return place.z_um if place is not None else None

    def focus_doubt(self, draft: PlanDraft) -> FocusDoubt | None:
        """Return why a run of this draft would hardly be in focus if it began now; None: nothing speaks against it."""
        z_um = self.z_now_um()
        if z_um is None or not takes_z_of_stage(draft):
            return None
        return self._session.live.focus.doubt(z_um)

    def has_other_objective(self) -> bool:
        """Look which objective is in the beam, and return whether it is another."""
        state = self._session.monitor.newest
        if state is None or not state.objective or state.objective == self.objective:
            return False
        self.objective = state.objective
        return True

    def plates(self) -> dict[str, PlateGeometry]:
        """Return every plate by name."""
        return self._plates

    def read_plates_again(self) -> None:
        """Take plates that a person has made or removed."""
        self._plates = self._session.presets.plates()

    def plate_of(self, draft: PlanDraft) -> PlateGeometry | None:
        """Return the plate of a draft; None: it has none, or one that is not known."""
        return find_plate(draft.plate, self.plates()) if draft.plate is not None else None

    def presets_of(self, objective: str | None) -> Mapping[str, ChannelPreset]:
        """Return the presets by channel name of an objective; None: the one in the beam."""
        return self._session.presets.machine().channels_of(objective or self.objective)

    def read(self, path: Path) -> PlanDraft:
        """Return the draft of a plan file; in a task."""
        return PlanDraft.read(path, self.plates())
