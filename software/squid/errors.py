"""The one tree of errors; each class says what is still true after it was raised.

::

    SquidError
    ├── ConfigurationError      refused before anything moved
    │   ├── MachineFileError    machine file: file, key, value, allowed range
    │   ├── PlanError           plan file, the same
    │   └── PreflightError      plan and machine do not fit; carries every refusal
    ├── DeviceError             names the device
    │   ├── DeviceClosedError   the device is not open; nothing was sent
    │   ├── SettingError        value out of range; nothing changed
    │   ├── DeviceTimeoutError  no answer in time; the device's state is unknown
    │   │   └── ConnectionLostError  the connection is gone; the device looks for it by itself
    │   ├── LightLostError      light went out by itself during an exposure; the frame was discarded
    │   ├── StageMoveError      the stage did not arrive; its position must be read again
    │   ├── FrameLostError      the exposure gave no frame; the sample was exposed
    │   │   └── FrameTimeoutError   none came in time
    │   └── BadFrameError       a frame came that cannot be this exposure's; it was discarded
    ├── AccessRevokedError      the calling task lost its right to the devices; nothing was sent, nothing can be retried
    ├── AcquisitionError
    │   ├── HungError           a step passed its deadline; light is off, stored data readable
    │   └── ResumeRefusedError  the folder cannot be continued; nothing was changed
    ├── StorageError            the sink could not store; what was committed is readable
    │   └── DiskFullError       names the bytes needed; goes on when space is freed
    └── WorkerError             worker layer: the task was not accepted
        ├── DuplicateTaskError  a task of this name is active
        └── ShutDownError       the manager takes no more tasks
"""

from __future__ import annotations

from pathlib import Path


class SquidError(Exception):
    """Any error that this program raises on purpose."""


class ConfigurationError(SquidError):
    """A file or a request that cannot be carried out; nothing has moved.

    Parameters
    ----------
    message : str
        What is wrong, with the value found.
    file : Path or str, optional
        The file that says it.
    key : str, optional
        Dotted path of the key in that file.
    allowed : str, optional
        What would have been accepted.
    """

    def __init__(
        self,
        message: str,
        *,
        file: Path | str | None = None,
        key: str | None = None,
        allowed: str | None = None,
    ) -> None:
        self.message = message
        self.file = file
        self.key = key
        self.allowed = allowed
        where = ": ".join(str(part) for part in (file, key) if part)
        text = f"{where}: {message}" if where else message
        super().__init__(f"{text} (allowed: {allowed})" if allowed else text)


class MachineFileError(ConfigurationError):
    """The machine file is wrong."""


class PlanError(ConfigurationError):
    """The plan file is wrong."""


class PreflightError(ConfigurationError):
    """Plan and machine do not fit together.

    Parameters
    ----------
    refusals : list of ConfigurationError
        Every reason, in the order found; at least one.
    """

    def __init__(self, refusals: list[ConfigurationError]) -> None:
        self.refusals = refusals
        more = len(refusals) - 1
        super().__init__(str(refusals[0]) + (f" (and {more} more)" if more else ""))


class DeviceError(SquidError):
    """A device failed, or was asked for what it cannot do.

    Parameters
    ----------
    device : str
        Label of the device in the machine file.
    message : str
        What happened, with values and units.
    """

    def __init__(self, device: str, message: str) -> None:
        self.device = device
        self.message = message
        super().__init__(f"{device}: {message}")


class DeviceClosedError(DeviceError):
    """The device is not open; nothing was sent to it."""


class SettingError(DeviceError):
    """A setting is out of its range; nothing changed."""


class DeviceTimeoutError(DeviceError):
    """The device did not answer in time; its state is unknown until it is read again."""


class ConnectionLostError(DeviceTimeoutError):
    """The connection is gone; the device looks for it by itself, what was under way is unknown."""


class LightLostError(DeviceError):
    """Light may have gone out by itself during an exposure; its frame was discarded."""


class StageMoveError(DeviceError):
    """The stage did not arrive where it was sent; its position must be read again."""


class FrameLostError(DeviceError):
    """An exposure gave no frame; the sample was exposed."""


class FrameTimeoutError(FrameLostError):
    """An exposure gave no frame in time; it was given up."""


class BadFrameError(DeviceError):
    """A frame came that cannot belong to its exposure (shape, type or id); it was discarded."""


class AccessRevokedError(SquidError):
    """The calling task has lost its right to the devices (it overran a time limit); nothing was sent.

    No `DeviceError`: nothing is wrong with the device, and trying again is no use.

    Parameters
    ----------
    device : str
        Label of the device that was to be commanded.
    message : str
        Which task, and why it may not.
    """

    def __init__(self, device: str, message: str) -> None:
        self.device = device
        super().__init__(f"{device}: {message}")


class AcquisitionError(SquidError):
    """A run could not go on; what was committed is readable."""


class HungError(AcquisitionError):
    """A step passed its deadline; all stacks were dumped and the light was switched off.

    Parameters
    ----------
    device, call : str
        The device and the call that did not return.
    deadline_s : float
        The time that it was given, in seconds.
    """

    def __init__(self, device: str, call: str, deadline_s: float) -> None:
        self.device = device
        self.call = call
        self.deadline_s = deadline_s
        super().__init__(f"{device}.{call} did not return within {deadline_s:.2f} s")


class ResumeRefusedError(AcquisitionError):
    """The run folder cannot be continued with this plan or machine; nothing was changed."""


class StorageError(SquidError):
    """The sink could not store; what was committed before is readable."""


class DiskFullError(StorageError):
    """The disk is full.

    Parameters
    ----------
    folder : Path
        Where the run is written.
    needed_bytes, free_bytes : int
        What the rest of the run needs, and what is there.
    """

    def __init__(self, folder: Path, needed_bytes: int, free_bytes: int) -> None:
        self.folder = folder
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes
        super().__init__(f"{folder}: disk full, {needed_bytes / 1e9:.2f} GB needed, {free_bytes / 1e9:.2f} GB free")


class WorkerError(SquidError):
    """The worker layer did not accept a task."""


class DuplicateTaskError(WorkerError):
    """A task of this name is still active; the new one was not started."""


class ShutDownError(WorkerError):
    """The manager was shut down and takes no more tasks."""
