"""Grey values of images: counts, bars, and the limits that fit."""

from __future__ import annotations

import numpy as np
import pytest

from control.core.grey_values import GreyCounts


def test_counts_are_those_of_the_sample() -> None:
    pixels = np.zeros((512, 512), np.uint16)
    pixels[:, 256:] = 4095
    counts = GreyCounts.of(pixels, 12)
    bars = counts.bars(counts.top())
    assert bars.sum() == 256 * 256
    assert bars[0] == bars[255] == 256 * 128
    assert counts.seen() == (0, 4095)


def test_a_dark_image_fills_the_bars_and_they_can_go_farther() -> None:
    counts = GreyCounts.of(np.full((64, 64), 200, np.uint16) + np.arange(64, dtype=np.uint16), 12)
    assert counts.top() == 511
    assert counts.bars(511).sum() == 64 * 64
    assert counts.bars(511)[: 200 // 2].sum() == 0
    assert counts.top(at_least=512) == 1023
    assert counts.top(at_least=10**6) == 4095


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 12), (np.uint16, 16)])
def test_limits_are_percentiles(dtype: type, bits: int) -> None:
    largest = 2**bits - 1
    pixels = np.linspace(0, largest, 256 * 256).round().astype(dtype).reshape(256, 256)
    low, high = GreyCounts.of(pixels, bits).limits()
    assert low == pytest.approx(0.001 * largest, abs=1)
    assert high == pytest.approx(0.998 * largest, abs=1)


def test_a_flat_image_keeps_its_noise_dark() -> None:
    assert GreyCounts.of(np.full((50, 50), 100, np.uint16), 12).limits() == (100, 115)
    low, high = GreyCounts.of(np.full((50, 50), 4095, np.uint16), 12).limits()
    assert low < high == 4095


def test_several_images_count_as_one() -> None:
    counts = GreyCounts(12)
    assert (counts.limits(), counts.seen()) == ((0, 1), (0, 0))
    counts.add(np.full((64, 64), 100, np.uint16))
    counts.add(np.full((64, 64), 3000, np.uint16), samples_per_side=32)
    assert counts.bars(4095).sum() == 64 * 64 + 32 * 32
    assert counts.limits() == (100, 3000)


def test_grey_values_beyond_the_significant_bits_count_as_the_largest() -> None:
    assert GreyCounts.of(np.full((4, 4), 5000, np.uint16), 12).seen() == (4095, 4095)
