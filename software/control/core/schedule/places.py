"""Where a plan goes: positions, the wells they belong to, and the plate as it lies on the stage.

Plates are placed by the machine's geometry (rows along +y); a well plate plan of a useq file that names its own A1 or
rotation is taken as useq computes it (rows along -y), see ``docs/decisions/0030``. Knows no frame and no device.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from useq import MDASequence, Position, RelativePosition, WellPlate, WellPlatePlan

from control.core.schedule.axes import grid_points
from control.core.words import counted
from squid.errors import ConfigurationError, PlanError
from squid.models.layout import WellRef
from squid.models.plan import AcquisitionPlan
from squid.models.plate import PlateGeometry


@dataclass(frozen=True, slots=True)
class Place:
    """One position of a plan.

    Attributes
    ----------
    x_um, y_um, z_um : float or None
        None: where the stage stands when the run starts.
    name : str
        As the plan names it, or ``position_<n>``.
    well : WellRef or None
        The well that it belongs to.
    centre_um : (float, float) or None
        Centre of that well.
    sequence : MDASequence or None
        The position's own sequence.
    """

    x_um: float | None
    y_um: float | None
    z_um: float | None
    name: str
    well: WellRef | None = None
    centre_um: tuple[float, float] | None = None
    sequence: MDASequence | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """All positions of a plan, and the plate they are on; `listed` is empty when the plan has no positions."""

    listed: tuple[Place, ...]
    plate: PlateGeometry | None


def places_of(
    plan: AcquisitionPlan,
    plates: Mapping[str, PlateGeometry],
    fov_um: tuple[float, float],
    refusals: list[ConfigurationError],
) -> Places:
    """Return the positions of a plan.

    Parameters
    ----------
    plan : AcquisitionPlan
        The plan.
    plates : mapping of str to PlateGeometry
        What the machine knows.
    fov_um : (float, float)
        Width and height of a frame at the sample.
    refusals : list of ConfigurationError
        Gets an entry for a plate or a well that there is not.
    """
    plate = None
    if plan.plate is not None:
        plate = find_plate(plan.plate, plates)
        if plate is None:
            refusals.append(PlanError(f"no plate '{plan.plate}'", key="plate", allowed=", ".join(plates)))
    positions = plan.sequence.stage_positions
    before = len(refusals)
    if plan.wells is not None:
        found, key = _selected_wells(plan, plate, fov_um, refusals), "wells"
    elif isinstance(positions, WellPlatePlan):
        found = _well_plate_plan(plan, positions, plate, plates, fov_um, refusals)
        key = f"{plan.sequence_key}stage_positions.selected_wells"
    else:
        return _free(positions, plate)
    if not found.listed and len(refusals) == before and (plate is not None or plan.plate is None):
        message = "no field lies in its well" if plan.clip_fields else "no well is selected"
        refusals.append(PlanError(message, key=key, allowed="at least one well with one field"))
    return found


def _free(positions: Sequence[Position], plate: PlateGeometry | None) -> Places:
    places = (_place(number, position, plate) for number, position in enumerate(positions))
    return Places(tuple(places), plate)


def find_plate(wanted: str | int | WellPlate, plates: Mapping[str, PlateGeometry]) -> PlateGeometry | None:
    """Return the machine's plate of that name, of useq's name ``96-well``, of that many wells, or of that shape."""
    if isinstance(wanted, int):
        return plates.get(f"{wanted} well plate")
    name = wanted if isinstance(wanted, str) else wanted.name
    found = plates.get(name) or plates.get(name.replace("-well", " well plate"))
    if found is not None and isinstance(wanted, WellPlate) and (found.rows, found.columns) != wanted.shape:
        found = None
    if found is None and isinstance(wanted, WellPlate):
        same = [plate for plate in plates.values() if (plate.rows, plate.columns) == wanted.shape and wanted.size > 1]
        found = same[0] if len(same) == 1 else None
    return found


def _selected_wells(
    plan: AcquisitionPlan,
    plate: PlateGeometry | None,
    fov_um: tuple[float, float],
    refusals: list[ConfigurationError],
) -> Places:
    if plate is None or plan.wells is None:
        return Places((), plate)
    try:
        selected = plate.select(plan.wells)
    except ValueError as e:
        refusals.append(PlanError(str(e), key="wells"))
        return Places((), plate)
    offsets = grid_points(plan.fields, fov_um) if plan.fields else ((0.0, 0.0),)
    z_um = plan.fields.z if isinstance(plan.fields, RelativePosition) else 0.0
    centres = ((row, column, *plate.well_centre_um(row, column)) for row, column in selected)
    return Places(_in_wells(centres, offsets, z_um, plate, plan), plate)


def _well_plate_plan(
    plan: AcquisitionPlan,
    wells: WellPlatePlan,
    plate: PlateGeometry | None,
    plates: Mapping[str, PlateGeometry],
    fov_um: tuple[float, float],
    refusals: list[ConfigurationError],
) -> Places:
    calibrated = tuple(wells.a1_center_xy) != (0.0, 0.0) or wells.rotation is not None
    known = plate or find_plate(wells.plate, plates)
    key = f"{plan.sequence_key}stage_positions.plate"
    if known is None and not calibrated:
        message = f"plate '{wells.plate.name}' ({wells.plate.rows} x {wells.plate.columns}) is not known here"
        refusals.append(PlanError(message, key=key, allowed=", ".join(plates)))
        return Places((), None)
    known = known or _geometry(wells)
    if (known.rows, known.columns) != wells.plate.shape:
        message = f"{wells.plate.rows} x {wells.plate.columns} wells, but '{known.name}' is said to be on the stage"
        refusals.append(PlanError(message, key=key, allowed=f"{known.rows} x {known.columns}"))
        return Places((), known)
    points = wells.well_points_plan
    offsets = grid_points(points, fov_um)
    z_um = points.z if isinstance(points, RelativePosition) else 0.0
    indices = [(int(row), int(column)) for row, column in wells.selected_well_indices]
    if calibrated:
        at = [(float(x) * 1000, float(y) * 1000) for y, x in wells.selected_well_coordinates]
    else:
        at = [known.well_centre_um(row, column) for row, column in indices]
    centres = ((row, column, x, y) for (row, column), (x, y) in zip(indices, at, strict=True))
    return Places(_in_wells(centres, offsets, z_um, known, plan), known)


def _in_wells(
    centres: Iterable[tuple[int, int, float, float]],
    offsets: Iterable[tuple[float, float]],
    z_um: float,
    plate: PlateGeometry,
    plan: AcquisitionPlan,
) -> tuple[Place, ...]:
    """Return one place for each field of each well; without those outside of the well, where the plan says so."""
    kept = [(dx, dy) for dx, dy in offsets if not plan.clip_fields or plate.is_inside_well(dx, dy)]
    z = (plan.z_um or 0.0) + z_um if plan.z_um is not None or z_um else None
    places: list[Place] = []
    for row, column, x, y in centres:
        well = WellRef(row, column, plate.well_name(row, column))
        places.extend(Place(x + dx, y + dy, z, well.name, well, (x, y)) for dx, dy in kept)
    return tuple(places)


def _place(number: int, position: Position, plate: PlateGeometry | None) -> Place:
    name = position.name or f"position_{number}"
    well = _well_of(position, plate) if plate is not None else None
    if plate is None or well is None:
        return Place(position.x, position.y, position.z, name, sequence=position.sequence)
    ref = WellRef(*well, plate.well_name(*well))
    centre = plate.well_centre_um(*well)
    return Place(position.x, position.y, position.z, name, ref, centre, position.sequence)


def _well_of(position: Position, plate: PlateGeometry) -> tuple[int, int] | None:
    """Return the well that a position names itself, else the one in which it lies."""
    row, column = position.plate_row, position.plate_col
    if row is not None and column is not None:
        return (row, column) if 0 <= row < plate.rows and 0 <= column < plate.columns else None
    return plate.well_at(position.x, position.y) if position.x is not None and position.y is not None else None


def _geometry(wells: WellPlatePlan) -> PlateGeometry:
    """Return a plate that only the plan knows, in our terms."""
    plate = wells.plate
    return PlateGeometry(
        name=plate.name or counted(plate.size, "well"),
        rows=plate.rows,
        columns=plate.columns,
        a1_x_mm=wells.a1_center_xy[0] / 1000,
        a1_y_mm=wells.a1_center_xy[1] / 1000,
        well_size_mm=min(plate.well_size),
        well_spacing_mm=max(plate.well_spacing),
        round_wells=plate.circular_wells,
    )
