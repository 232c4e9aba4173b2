"""Start of the program: crash dumps first, then the window or the command line.

``faulthandler`` is enabled before anything else is imported, on a file of its own that stays open: a dump never lands
in a file that got the number of a closed one, and works without a console. The file is removed again when it is empty.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn


def log_folder() -> Path:
    """Return the user's log folder, as `squid.utils.thread_dump` has it, which is not to be imported yet."""
    chosen = os.environ.get("SQUID_LOG_FOLDER")
    return Path(chosen) if chosen else Path.home() / ".squid-hcs" / "log"


def open_crash_file() -> IO[str]:
    """Open the file that the stacks go to if the program crashes; in the temporary folder when there is no home."""
    name = f"crash-{os.getpid()}.log"
    try:
        folder = log_folder()
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / name).open("a", encoding="utf-8")
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        file = (Path(tempfile.gettempdir()) / f"squid-hcs-{name}").open("a", encoding="utf-8")
    return file


def leave(code: int, crash_file: IO[str]) -> NoReturn:
    """End the process now; a device thread that hangs cannot hold it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError):  # the reader of a pipe has gone
                stream.flush()
    if os.fstat(crash_file.fileno()).st_size == 0:
        Path(crash_file.name).unlink(missing_ok=True)
    os._exit(code)


def exit_code_of(arguments: list[str]) -> int:
    """Carry out the command line; an error that nobody foresaw is shown with its stack and gives 1."""
    try:
        from control.cli_window import wants_window, window  # only now, with the crash file open

        if wants_window(arguments):
            return window(arguments)
        from control.cli import main  # a second's worth of imports that the window does not wait for

        return main(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    except BaseException:
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    dumps = open_crash_file()
    faulthandler.enable(dumps)
    leave(exit_code_of(sys.argv[1:]), dumps)
