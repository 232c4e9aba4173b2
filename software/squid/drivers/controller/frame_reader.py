"""A stream of bytes -> status frames, with strict checksums and a search for the next frame after damage.

::

    in step ──frame fits──▶ in step
       └──does not fit──▶ searching (window slides byte by byte) ──a frame proves itself──▶ in step

Zero bytes fill a third of a frame, so nothing short of the checksum tells where a frame begins (section 2.6).
"""

from __future__ import annotations

from squid.drivers.controller.packets import StatusFrame, Version, decode, decode_legacy, is_plausible
from squid.drivers.controller.protocol_table import STATUS_BYTES

_LEGACY: Version = (0, 0)


class _NeedMore(Exception):
    """Only the next bytes can tell whether there is a frame."""


class FrameReader:
    """Finds status frames in a stream.

    Frames of the oldest firmware bear no checksum (their last byte is 0). They are taken only while no checksum was
    ever seen, and only when the frame after it looks the same.

    Attributes
    ----------
    damaged : int
        How often the stream fell out of step.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._buffer = bytearray()
        self._in_step = True
        self._has_checksums = False
        self._version: Version | None = None

    def feed(self, data: bytes) -> list[StatusFrame]:
        """Take bytes; return the frames that are complete now, oldest first."""
        self._buffer += data
        frames = []
        at = 0
        while len(self._buffer) - at >= STATUS_BYTES:
            try:
                frame = self._frame_at(at)
            except _NeedMore:
                break
            if frame is None:
                self.damaged += self._in_step
                self._in_step = False
                at += 1
                continue
            self._in_step = True
            self._version = frame.version
            frames.append(frame)
            at += STATUS_BYTES
        del self._buffer[:at]
        return frames

    def _frame_at(self, at: int) -> StatusFrame | None:
        data = bytes(self._buffer[at : at + STATUS_BYTES])
        frame = decode(data)
        if frame is not None and is_plausible(frame):
            if data[-1] != 0 or frame.version != _LEGACY:
                return self._proven(frame)
        else:
            frame = None if self._has_checksums else decode_legacy(data)
        if frame is None or (self._in_step and self._version == _LEGACY):
            return frame
        return frame if self._is_repeated(frame, at + STATUS_BYTES) else None

    def _proven(self, frame: StatusFrame) -> StatusFrame | None:
        """Take a frame whose checksum fits; while searching only of the version that is there."""
        if not self._in_step and self._version not in (None, frame.version):
            return None
        self._has_checksums = True
        return frame

    def _is_repeated(self, frame: StatusFrame, at: int) -> bool:
        """Whether the next frame confirms one that its own bytes do not prove."""
        data = bytes(self._buffer[at : at + STATUS_BYTES])
        if len(data) < STATUS_BYTES:
            raise _NeedMore
        second = decode(data) or (None if self._has_checksums else decode_legacy(data))
        return second is not None and (second.version, second.usteps) == (frame.version, frame.usteps)
