"""What a person chose for channels, and what follows the images."""

from __future__ import annotations

import pytest

from control.core.contrast import Contrast

FITTING = (40, 900)


def test_a_channel_follows_its_images_until_a_person_chooses() -> None:
    contrast = Contrast()
    assert contrast.is_auto("DAPI")
    assert contrast.limits("DAPI", FITTING, 12) == FITTING
    contrast.choose("DAPI", 10, 200)
    assert contrast.limits("DAPI", FITTING, 12) == (10, 200)
    assert contrast.limits("FITC", FITTING, 12) == FITTING
    contrast.follow("DAPI")
    assert contrast.limits("DAPI", FITTING, 12) == FITTING


@pytest.mark.parametrize(("black", "white"), [(5, 5), (6, 5), (-1, 5)])
def test_black_must_be_below_white(black: int, white: int) -> None:
    contrast = Contrast()
    with pytest.raises(ValueError, match="below white 5"):
        contrast.choose("DAPI", black, white)
    assert contrast.is_auto("DAPI")


def test_it_fits_fewer_bits() -> None:
    contrast = Contrast()
    contrast.choose("DAPI", 1000, 3000)
    assert contrast.limits("DAPI", FITTING, 8) == (254, 255)


def test_it_survives_a_restart() -> None:
    contrast = Contrast()
    contrast.choose("DAPI", 10, 200)
    again = Contrast()
    again.restore(contrast.remember() | {"bad": [5, 1], "worse": "x", "odd": [1], "old": [5, 6, True]})
    assert again.remember() == {"DAPI": [10, 200]}
