import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from control.gui.contrast import ChannelContrast, Contrast
from control.gui.grey_values import measure, profile
from control.gui.histogram import HistogramPanel


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def contrast():
    return Contrast()


@pytest.fixture
def panel(qtbot, contrast, clock):
    widget = HistogramPanel(contrast, clock)
    qtbot.addWidget(widget)
    widget.resize(340, 220)
    widget.show()
    return widget


def ramp(low, high):
    return np.linspace(low, high, 200 * 200).round().astype(np.uint16).reshape(200, 200)


def drag_handle(panel, grey_from, grey_to):
    plot = panel.histogram
    start, end = (QPointF(plot.x_of(grey), 40) for grey in (grey_from, grey_to))
    QTest.mousePress(plot, Qt.LeftButton, Qt.NoModifier, start.toPoint())
    move = QMouseEvent(QEvent.MouseMove, end, Qt.NoButton, Qt.MouseButtons(Qt.LeftButton), Qt.NoModifier)
    QApplication.sendEvent(plot, move)
    QTest.mouseRelease(plot, Qt.LeftButton, Qt.NoModifier, QPoint(round(end.x()), 40))


def test_counts_are_those_of_the_sample():
    pixels = np.zeros((512, 512), np.uint16)
    pixels[:, 256:] = 4095
    statistics = measure(pixels, 12)
    assert statistics.counts.sum() == 256 * 256
    assert statistics.counts[0] == statistics.counts[255] == 256 * 128
    assert (statistics.least, statistics.most) == (0, 4095)


def test_a_dark_image_fills_the_histogram_and_handles_can_go_farther():
    statistics = measure(np.full((64, 64), 200, np.uint16) + np.arange(64, dtype=np.uint16), 12)
    assert statistics.top == 511
    assert statistics.counts.sum() == 64 * 64
    assert statistics.counts[: 200 // 2].sum() == 0
    assert measure(np.full((64, 64), 200, np.uint16), 12, at_least=512).top == 1023
    assert measure(np.full((64, 64), 200, np.uint16), 12, at_least=10**6).top == 4095


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 12), (np.uint16, 16)])
def test_auto_limits_are_percentiles(dtype, bits):
    largest = 2**bits - 1
    pixels = np.linspace(0, largest, 256 * 256).round().astype(dtype).reshape(256, 256)
    statistics = measure(pixels, bits)
    assert statistics.low == pytest.approx(0.001 * largest, abs=1)
    assert statistics.high == pytest.approx(0.998 * largest, abs=1)


def test_a_flat_image_keeps_its_noise_dark():
    statistics = measure(np.full((50, 50), 100, np.uint16), 12)
    assert (statistics.low, statistics.high) == (100, 115)
    saturated = measure(np.full((50, 50), 4095, np.uint16), 12)
    assert saturated.low < saturated.high == 4095


def test_auto_follows_the_image_ten_times_a_second_at_most(panel, contrast, clock):
    panel.show_frame("DAPI", ramp(100, 1000), 12, "#0000FF")
    first = contrast.of("DAPI", 12)
    assert first.is_auto
    assert first.black == pytest.approx(101, abs=2)
    assert first.white == pytest.approx(998, abs=2)
    clock.now_s = 0.05
    panel.show_frame("DAPI", ramp(2000, 3000), 12, "#0000FF")
    assert contrast.of("DAPI", 12) == first
    clock.now_s = 0.11
    panel.show_frame("DAPI", ramp(2000, 3000), 12, "#0000FF")
    assert contrast.of("DAPI", 12).black == pytest.approx(2002, abs=2)


def test_channels_keep_their_own_contrast(panel, contrast, clock):
    panel.show_frame("DAPI", ramp(100, 1000), 12, "#0000FF")
    panel.full.click()
    panel.show_frame("FITC", ramp(300, 400), 12, "#00FF00")
    assert contrast.of("DAPI", 12) == ChannelContrast(0, 4095, is_auto=False)
    assert contrast.of("FITC", 12).is_auto
    assert panel.auto.isChecked()
    panel.show_frame("DAPI", ramp(100, 1000), 12, "#0000FF")
    assert not panel.auto.isChecked()
    assert (panel.black.value(), panel.white.value()) == (0, 4095)


@pytest.mark.parametrize(("handle", "target"), [(0, 1000), (1, 2000)])
def test_handles_are_dragged_and_end_auto(panel, contrast, handle, target):
    panel.show_frame("DAPI", ramp(100, 4000), 12, "#0000FF")
    before = contrast.of("DAPI", 12)
    drag_handle(panel, (before.black, before.white)[handle], target)
    after = contrast.of("DAPI", 12)
    assert not after.is_auto
    assert (after.black, after.white)[handle] == pytest.approx(target, abs=15)
    assert (after.black, after.white)[1 - handle] == (before.black, before.white)[1 - handle]


def test_black_stays_below_white(panel, contrast):
    panel.show_frame("DAPI", ramp(100, 4000), 12, "#0000FF")
    drag_handle(panel, contrast.of("DAPI", 12).black, 4095)
    after = contrast.of("DAPI", 12)
    assert after.black == after.white - 1


def test_numbers_can_be_typed_and_nonsense_is_refused(panel, contrast):
    panel.show_frame("DAPI", ramp(100, 4000), 12, "#0000FF")
    panel.white.setValue(3000)
    panel.black.setValue(500)
    assert contrast.of("DAPI", 12) == ChannelContrast(500, 3000, is_auto=False)
    panel.black.setValue(3500)
    assert panel.refusal.isVisible()
    assert contrast.of("DAPI", 12) == ChannelContrast(500, 3000, is_auto=False)


def test_once_fits_and_stays(panel, contrast, clock):
    panel.show_frame("DAPI", ramp(100, 1000), 12, "#0000FF")
    panel.once.click()
    fitted = contrast.of("DAPI", 12)
    clock.now_s = 1.0
    panel.show_frame("DAPI", ramp(2000, 3000), 12, "#0000FF")
    assert contrast.of("DAPI", 12) == fitted
    panel.auto.click()
    assert contrast.of("DAPI", 12).black == pytest.approx(2002, abs=2)


def test_log_changes_the_picture(panel):
    panel.show_frame("DAPI", ramp(0, 300) ** 2 // 30, 12, "#00FF00")
    plain = panel.histogram.grab().toImage()
    panel.log.click()
    assert panel.histogram.grab().toImage() != plain


def test_contrast_survives_a_restart(contrast):
    contrast.set("DAPI", 10, 200)
    contrast.set("FITC", 5, 6, is_auto=True)
    again = Contrast()
    again.restore(contrast.remember() | {"bad": [5, 1, False], "worse": "x", "odd": [1]})
    assert again.remember() == contrast.remember()


def test_contrast_fits_fewer_bits(contrast):
    contrast.set("DAPI", 1000, 3000)
    assert contrast.of("DAPI", 8) == ChannelContrast(254, 255, is_auto=False)


def test_the_profile_reads_along_the_line():
    pixels = np.tile(np.arange(100, dtype=np.uint16), (50, 1))
    distances, values = profile(pixels, (10.5, 20.5), (60.5, 20.5))
    assert distances.tolist() == list(range(51))
    assert values == pytest.approx(np.arange(10, 61))


def test_the_profile_is_averaged_across_the_line_and_ends_at_the_edge():
    pixels = np.zeros((50, 50), np.uint16)
    pixels[18:23] = 100
    _, values = profile(pixels, (10.5, 20.5), (59.5, 20.5), width_px=5)
    assert values[:40] == pytest.approx(100.0)
    assert np.isnan(values[-5:]).all()
    _, across = profile(pixels, (10.5, 10.5), (10.5, 30.5), width_px=5)
    assert across.max() == 100.0
    assert across.min() == 0.0
