"""Well names and selections, and where wells are on the stage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squid.machine_file import read_plates
from squid.models.plate import PlateGeometry
from squid.models.wells import row_name, row_number, select_wells, well_name

PLATES = read_plates()


@pytest.mark.parametrize(
    ("row", "name"), [(0, "A"), (7, "H"), (25, "Z"), (26, "AA"), (31, "AF"), (51, "AZ"), (52, "BA")]
)
def test_rows_have_letters(row: int, name: str) -> None:
    assert row_name(row) == name
    assert row_number(name.lower()) == row


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A1", "A1"),
        ("a1 , h12", "A1 H12"),
        ("A1:B2, H12", "A1 A2 B1 B2 H12"),
        ("A1 : A3", "A1 A2 A3"),
        ("A1-A3", "A1 A2 A3"),
        ("B2:A1", "B2 B1 A2 A1"),
        ("A1, A1:A2", "A1 A2"),
        ("H", " ".join(f"H{n}" for n in range(1, 13))),
        ("12", " ".join(f"{letter}12" for letter in "ABCDEFGH")),
        ("G:H", " ".join(f"{letter}{n}" for letter in "GH" for n in range(1, 13))),
    ],
)
def test_selections(text: str, names: str) -> None:
    assert " ".join(well_name(*well) for well in select_wells(text, 8, 12)) == names


def test_all_leaves_out_the_border_that_is_skipped() -> None:
    assert len(select_wells("all", 8, 12)) == 96
    inner = select_wells("all", 16, 24, skip=1)
    assert (len(inner), inner[0], inner[-1]) == (14 * 22, (1, 1), (14, 22))


@pytest.mark.parametrize("text", ["", " , ", "A0", "I1", "A13", "A1:B2:C3", "A1:", "1A", "well", "A1;B2"])
def test_what_is_no_well_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="allowed"):
        select_wells(text, 8, 12)


@given(st.integers(0, 7), st.integers(0, 11), st.integers(0, 7), st.integers(0, 11))
def test_a_rectangle_holds_all_between_its_corners_once(row: int, column: int, row2: int, column2: int) -> None:
    wells = select_wells(f"{well_name(row, column)}:{well_name(row2, column2)}", 8, 12)
    assert (wells[0], wells[-1]) == ((row, column), (row2, column2))
    assert len(set(wells)) == len(wells) == (abs(row - row2) + 1) * (abs(column - column2) + 1)


def test_wells_lie_where_the_table_says() -> None:
    plate = PLATES["96 well plate"]
    assert plate.well_centre_um(0, 0) == pytest.approx((11_310, 10_750))
    assert plate.well_centre_um(7, 11) == pytest.approx((11_310 + 99_000, 10_750 + 63_000))


def test_a_turned_plate_turns_clockwise_about_a1() -> None:
    plate = PLATES["96 well plate"].model_copy(update={"rotation_deg": 90.0})
    assert plate.well_centre_um(0, 1) == pytest.approx((11_310, 10_750 + 9_000))
    assert plate.well_centre_um(1, 0) == pytest.approx((11_310 - 9_000, 10_750))


@given(st.sampled_from(sorted(PLATES)), st.floats(0, 1), st.floats(0, 1), st.floats(-10, 10))
def test_a_well_holds_its_centre(name: str, down: float, right: float, degrees: float) -> None:
    plate = PLATES[name].model_copy(update={"rotation_deg": degrees})
    row, column = int(down * (plate.rows - 1)), int(right * (plate.columns - 1))
    assert plate.well_at(*plate.well_centre_um(row, column)) == (row, column)


def test_round_wells_have_no_corners_and_square_ones_have() -> None:
    size_um = 500 * PLATES["96 well plate"].well_size_mm
    assert PLATES["96 well plate"].is_inside_well(size_um - 1, 0)
    assert not PLATES["96 well plate"].is_inside_well(0.8 * size_um, 0.8 * size_um)
    size_um = 500 * PLATES["384 well plate"].well_size_mm
    assert PLATES["384 well plate"].is_inside_well(0.99 * size_um, -0.99 * size_um)
    assert not PLATES["384 well plate"].is_inside_well(1.01 * size_um, 0)


def test_between_wells_and_beside_the_plate_is_no_well() -> None:
    plate = PLATES["96 well plate"]
    assert plate.well_at(11_310 + 4_500, 10_750) is None
    assert plate.well_at(0, 0) is None
    assert PLATES["glass slide"].well_at(5_000, 3_000) == (0, 0)


def test_names_are_the_plates_own() -> None:
    plate = PlateGeometry.model_validate(
        {"name": "p", "rows": 32, "columns": 48, "a1_x_mm": 0, "a1_y_mm": 0, "well_size_mm": 1, "well_spacing_mm": 2}
    )
    assert plate.well_name(31, 47) == "AF48"
    assert plate.select("AF48") == ((31, 47),)
