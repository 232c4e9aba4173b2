"""The OME-XML of one field (schema 2016-06), with a slot of fixed length for each plane.

A plane's slot is blank until its frame is stored, and then holds its ``Plane`` element. The annotation
``missing-planes`` starts with all planes, and a plane is blanked out of it when its frame is stored. So the text is
complete and true after every frame, and storing a frame changes a few bytes in place. Knows no file.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from control.core.sinks.frame_table import utc_text
from squid.errors import StorageError
from squid.models.channel import ChannelLayout
from squid.models.frame import FrameRecord
from squid.models.layout import DatasetLayout, ImageLayout

_NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
_PLANE_BYTES = 352
_DATE = re.compile(rb"<AcquisitionDate>([^<]*)Z</AcquisitionDate>")

Patch = tuple[int, bytes]
"""Bytes and their offset in the text."""


class OmeXml:
    """The text of one image.

    Parameters
    ----------
    layout, image
        The run, and the image in it.
    start_utc_s : float
        Time of the image's first frame; `DeltaT` counts from here.
    """

    def __init__(self, layout: DatasetLayout, image: ImageLayout, start_utc_s: float) -> None:
        self._layout = layout
        self._image = image
        self._start_utc_s = start_utc_s
        self.planes = image.size_t * len(layout.channels) * image.size_z
        self._prefix = self._before_planes().encode()
        self._middle = _BEFORE_MISSING.encode()
        self._missing_bytes = len(self._missing_item(self.planes - 1)) + 1
        self._missing_offset = len(self._prefix) + self.planes * _PLANE_BYTES + len(self._middle)
        self.size = self._missing_offset + self.planes * self._missing_bytes + len(_AFTER_MISSING)

    def plane(self, t: int, c: int, z: int) -> int:
        """Return the number of a plane in the file: z runs fastest, then channels, then time (XYZCT)."""
        return (t * len(self._layout.channels) + c) * self._image.size_z + z

    def text(self) -> bytes:
        """Return the text before any frame is stored."""
        blanks = b" " * (self.planes * _PLANE_BYTES)
        items = "".join(self._missing_item(plane).ljust(self._missing_bytes) for plane in range(self.planes))
        return self._prefix + blanks + self._middle + items.encode() + _AFTER_MISSING.encode()

    def fits(self, head: bytes) -> bool:
        """Whether the beginning of a text is that of this image, whatever its date."""
        return _DATE.sub(b"", head[: len(self._prefix)]) == _DATE.sub(b"", self._prefix)

    def patches(self, record: FrameRecord) -> tuple[Patch, Patch]:
        """Return what storing a frame changes: its `Plane` element, and the list of missing planes."""
        event = record.event
        plane = self.plane(event.t, event.c, event.z)
        element = self._element(record).encode()
        if len(element) > _PLANE_BYTES:
            raise StorageError(f"the Plane element of frame {event.index} is longer than its slot: {element.decode()}")
        return (
            (len(self._prefix) + plane * _PLANE_BYTES, element.ljust(_PLANE_BYTES)),
            (self._missing_offset + plane * self._missing_bytes, b" " * self._missing_bytes),
        )

    def _element(self, record: FrameRecord) -> str:
        event = record.event
        x_um, y_um, z_um = record.actual
        return (
            f'<Plane TheC="{event.c}" TheT="{event.t}" TheZ="{event.z}" '
            f'DeltaT="{record.utc_s - self._start_utc_s:.6f}" DeltaTUnit="s" '
            f'ExposureTime="{record.exposure_ms:.4f}" ExposureTimeUnit="ms" '
            f'PositionX="{x_um:.4f}" PositionXUnit="µm" PositionY="{y_um:.4f}" PositionYUnit="µm" '
            f'PositionZ="{z_um:.4f}" PositionZUnit="µm"/>'
        )

    def _missing_item(self, plane: int) -> str:
        rest, z = divmod(plane, self._image.size_z)
        t, c = divmod(rest, len(self._layout.channels))
        return f"{t},{c},{z}"

    def _before_planes(self) -> str:
        layout, image = self._layout, self._image
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<OME xmlns="{_NAMESPACE}" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="{_NAMESPACE} {_NAMESPACE}/ome.xsd" Creator="squid-hcs">'
            f"{self._plate()}{self._instrument()}"
            f'<Image ID="Image:0" Name={quoteattr(image.name)}>'
            f"<AcquisitionDate>{utc_text(self._start_utc_s)}</AcquisitionDate>"
            f"<Description>{escape(layout.name)}</Description>"
            '<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>'
            f"{self._pixels()}{''.join(_channel(c, each) for c, each in enumerate(layout.channels))}"
            f'<TiffData IFD="0" PlaneCount="{self.planes}"/>'
        )

    def _pixels(self) -> str:
        layout, image = self._layout, self._image
        height, width = layout.shape_px
        step_um = image.z_step_um or layout.z_step_um
        z_step = f' PhysicalSizeZ="{abs(step_um):.6g}" PhysicalSizeZUnit="µm"' if step_um else ""
        interval = (
            f' TimeIncrement="{layout.time_interval_s:.6g}" TimeIncrementUnit="s"' if layout.time_interval_s else ""
        )
        return (
            f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{layout.dtype}" '
            f'SizeX="{width}" SizeY="{height}" SizeZ="{image.size_z}" SizeC="{len(layout.channels)}" '
            f'SizeT="{image.size_t}" SignificantBits="{layout.significant_bits}" BigEndian="false" Interleaved="false" '
            f'PhysicalSizeX="{layout.pixel_size_um:.9g}" PhysicalSizeXUnit="µm" '
            f'PhysicalSizeY="{layout.pixel_size_um:.9g}" PhysicalSizeYUnit="µm"{z_step}{interval}>'
        )

    def _plate(self) -> str:
        plate, well, image = self._layout.plate, self._image.well, self._image
        if plate is None or well is None:
            return ""
        return (
            f'<Plate ID="Plate:0" Name={quoteattr(plate.name)} Rows="{plate.rows}" Columns="{plate.columns}" '
            'RowNamingConvention="letter" ColumnNamingConvention="number">'
            f'<Well ID="Well:0" Row="{well.row}" Column="{well.column}">'
            f'<WellSample ID="WellSample:0" Index="{image.field}" PositionX="{image.x_um:.4f}" PositionXUnit="µm" '
            f'PositionY="{image.y_um:.4f}" PositionYUnit="µm"><ImageRef ID="Image:0"/></WellSample></Well></Plate>'
        )

    def _instrument(self) -> str:
        objective = self._layout.light_path.objective if self._layout.light_path else None
        known = (
            f' NominalMagnification="{objective.magnification:g}" LensNA="{objective.numerical_aperture:g}"'
            if objective
            else ""
        )
        return (
            '<Instrument ID="Instrument:0">'
            f'<Objective ID="Objective:0" Model={quoteattr(self._layout.objective)}{known}/></Instrument>'
        )


_BEFORE_MISSING = (
    '</Pixels><AnnotationRef ID="Annotation:0"/></Image><StructuredAnnotations>'
    '<CommentAnnotation ID="Annotation:0" Namespace="squid-hcs/missing-planes">'
    "<Description>Planes (TheT,TheC,TheZ) without a frame; their pixels are zero.</Description><Value>"
)
_AFTER_MISSING = "</Value></CommentAnnotation></StructuredAnnotations></OME>"


def start_of(text: bytes) -> str | None:
    """Return the acquisition date in the beginning of a text, ISO 8601 without its ``Z``; None when there is none."""
    found = _DATE.search(text)
    return found.group(1).decode() if found else None


def _channel(c: int, channel: ChannelLayout) -> str:
    preset = channel.preset
    rgba = int(preset.colour.lstrip("#") + "FF", 16)
    signed = rgba - 2**32 if rgba >= 2**31 else rgba
    wavelengths = "".join(
        f' {kind}Wavelength="{value_nm:g}" {kind}WavelengthUnit="nm"'
        for kind, value_nm in (("Excitation", preset.excitation_nm), ("Emission", preset.emission_nm))
        if value_nm
    )
    return (
        f'<Channel ID="Channel:0:{c}" Name={quoteattr(channel.name)} SamplesPerPixel="1" '
        f'Color="{signed}"{wavelengths}/>'
    )
