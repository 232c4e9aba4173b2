"""Make the pictures of the window: the real program, driven as a user drives it, on a virtual screen of its own.

::

    .venv/bin/python docs/make_screenshots.py [FOLDER]        default: docs/pictures

Starts Xvfb (Debian: ``apt-get install xvfb``) and, in it, the simulated microscope; looks, plans a plate of two
channels, runs it and reviews what is on disk. Each step is pictured at 1366 x 768 and at 1920 x 1080.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "software")]

SIZES = ((1366, 768), (1920, 1080))
LARGEST_BYTES = 200_000
COLOURS = (256, 128, 64, 32)
WELLS = "B2:D5"
CHANNELS = ("DAPI", "FITC")


def start_screen() -> tuple[subprocess.Popen[bytes], str]:
    """Start Xvfb on a free number; return it and its name for DISPLAY."""
    xvfb = shutil.which("Xvfb")
    if xvfb is None:
        raise SystemExit("needs Xvfb (Debian: apt-get install xvfb)")
    reading, writing = os.pipe()
    width, height = SIZES[-1]
    command = [xvfb, "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    screen = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as answer:
        return screen, f":{answer.readline().strip()}"


def on_a_screen(folder: Path) -> int:
    """Drive the program in a process of its own, on a screen of its own."""
    screen, display = start_screen()
    home = Path(tempfile.mkdtemp(prefix="screenshots-"))
    private = {"HOME": home, "SQUID_SETTINGS_FOLDER": home / "user", "SQUID_LOG_FOLDER": home / "log"}
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "XDG_RUNTIME_DIR": str(home)}
    environment |= {key: str(value) for key, value in private.items()}
    try:
        command = [sys.executable, str(Path(__file__).resolve()), str(folder), "--driven"]
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        screen.terminate()
        screen.wait()
        shutil.rmtree(home, ignore_errors=True)


def keep(picture: Any, file: Path) -> None:
    """Write a pixmap as a small PNG: as many colours as fit the size."""
    from PIL import Image

    raw = file.with_suffix(".raw.png")
    picture.save(str(raw))
    with Image.open(raw) as whole:
        for colours in COLOURS:
            few = whole.convert("RGB").quantize(
                colours, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE
            )  # without the means, greys take on the colours around them
            few.save(file, optimize=True)
            if file.stat().st_size <= LARGEST_BYTES:
                break
    raw.unlink()
    print(f"{file.name}: {file.stat().st_size // 1000} kB", flush=True)


class Driver:
    """Hands on the program."""

    def __init__(self, folder: Path) -> None:
        from PyQt5.QtWidgets import QApplication

        from control.gui.app import Program
        from control.gui.theme import apply_theme

        self.folder = folder
        self.app = QApplication(sys.argv[:1])
        apply_theme(self.app)
        user = Path(os.environ["SQUID_SETTINGS_FOLDER"])
        self.program = Program(self.app, user)
        self.window = self.program.window
        self.window.move(0, 0)
        self.window.show()

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.005)

    def until(self, condition: Callable[[], Any], limit_s: float = 60.0) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end:
                self.app.primaryScreen().grabWindow(0).save(str(self.folder / "stuck.png"))
                raise SystemExit(f"did not come within {limit_s:.0f} s; stuck.png shows where")
            self.spin(0.05)

    def find(self, name: str, page: str | None = None) -> Any:
        from PyQt5.QtWidgets import QWidget

        widget = (getattr(self.window.pages, page) if page else self.window).findChild(QWidget, name)
        if widget is None:
            raise SystemExit(f"there is no widget '{name}'")
        return widget

    def press(self, name: str, page: str | None = None) -> None:
        from PyQt5.QtCore import Qt
        from PyQt5.QtTest import QTest

        QTest.mouseClick(self.find(name, page), Qt.MouseButton.LeftButton)

    def picture(self, name: str) -> None:
        """Picture the screen at both sizes."""
        screen = self.app.primaryScreen()
        for width, height in SIZES:
            self.window.setGeometry(0, 0, width, height)
            self.spin(0.8)
            keep(screen.grabWindow(0, 0, 0, width, height), self.folder / f"{name}_{width}x{height}.png")

    # --- the steps --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.program.begin(None)
        self.spin(0.5)
        self.picture("start")
        self.press("simulationButton")
        self.until(lambda: self.window.pages)

    def look(self) -> None:
        session = self.window.session
        x_um, y_um = self.window.pages.plan.plate.well_centre_um(2, 2)
        session.manual.move_to(x_um=x_um, y_um=y_um, z_um=3_003)
        self.until(lambda: session.manual.activity is None)
        self.press("lookTab")
        self.press("channel_FITC", "look")
        self.press("liveButton", "look")
        self.until(lambda: session.live.newest() is not None)
        self.spin(4.0)
        look = self.window.pages.look
        black, white = look.image.control.limits
        look.contrast.choose("FITC", black + (white - black) // 4, white + 40)  # noise makes large files
        self.picture("look")
        self.press("liveButton", "look")

    def plan(self) -> None:
        from PyQt5.QtCore import Qt
        from PyQt5.QtTest import QTest
        from PyQt5.QtWidgets import QCheckBox, QComboBox, QLineEdit

        self.press("planTab")
        wells: QLineEdit = self.find("wellsText", "plan")
        QTest.keyClicks(wells, WELLS)
        QTest.keyClick(wells, Qt.Key.Key_Return)
        for channel in self.window.session.presets.names("20x"):
            box: QCheckBox = self.find(f"channel_{channel}", "plan")
            if box.isChecked() is not (channel in CHANNELS):
                box.click()
        kind: QComboBox = self.find("fieldsKind", "plan")
        kind.setCurrentIndex(kind.findData("grid"))
        kind.activated.emit(kind.currentIndex())
        for name in ("gridRows", "gridColumns"):
            self.find(name, "plan").setValue(2)
        self.until(lambda: self.find("startButton", "plan").isEnabled())
        self.picture("plan")

    def run(self) -> None:
        from control.core.run_view import RunState

        status = self.window.session.status
        self.press("startButton", "plan")
        self.until(lambda: status.snapshot().stored > 0.55 * max(1, status.snapshot().planned))
        self.picture("run")
        self.until(lambda: status.snapshot().state is RunState.FINISHED)
        self.spin(1.0)
        self.picture("finished")

    def review(self) -> None:
        self.press("reviewButton", "run")
        self.spin(3.0)
        self.picture("review")


def drive(folder: Path) -> None:
    """Go from the start to the review of a stored plate."""
    folder.mkdir(parents=True, exist_ok=True)
    driver = Driver(folder)
    for step in (driver.start, driver.look, driver.plan, driver.run, driver.review):
        step()
    sys.stdout.flush()
    driver.program.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pictures of the window.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--driven", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.driven:
        drive(args.folder)
    else:
        raise SystemExit(on_a_screen(args.folder.absolute()))


if __name__ == "__main__":
    main()
