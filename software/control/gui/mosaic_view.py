"""What the run stores just now, larger than on the plate: the well in work, fields at their places; the last frame."""

from __future__ import annotations

from collections.abc import Hashable

from control.core.previews import Previews
from control.core.rendering import Layer, Renderer
from control.core.shrinking import shrunk
from control.gui.channel_picker import GREY, ChannelPicker, Layers
from control.gui.picture_view import Picture, PictureView, image_of
from squid.utils.worker_manager import WorkerManager

FRAME_PX = 1024
"""Longer side of the last frame as it is shown."""


def mosaic_view(previews: Previews, picker: ChannelPicker, manager: WorkerManager) -> PictureView:
    """Return a view of the well in work, in the channels that are chosen."""
    renderer = Renderer()

    def revision() -> tuple[int, int, Layers] | None:
        number = previews.mosaic_revision
        layers = picker.layers()
        return (previews.run_number, number, layers) if number and layers else None

    def draw(revision: tuple[int, int, Layers]) -> Picture | None:
        planes = [(previews.mosaic(channel), limits, colour) for channel, limits, colour in revision[2]]
        there = [(mosaic, limits, colour) for mosaic, limits, colour in planes if mosaic is not None]
        if not there:
            return None
        first = there[0][0]
        layers = [Layer(each.pixels, limits, colour) for each, limits, colour in there if each.well == first.well]
        height, width = first.pixels.shape
        return Picture(image_of(renderer.render(layers, (height, width))), first.pixel_um, f"Well {first.well.name}")

    return PictureView("mosaicView", manager, revision, draw, "No field has been stored yet.")


def last_frame_view(previews: Previews, manager: WorkerManager) -> PictureView:
    """Return a view of the frame stored last, in grey."""
    renderer = Renderer()

    def revision() -> Hashable | None:
        frame = previews.newest()
        return None if frame is None else (previews.run_number, frame.number)

    def draw(_: object) -> Picture | None:
        frame, limits, layout = previews.newest(), previews.contrasts(), previews.layout
        if frame is None or layout is None or frame.record.event.c >= len(limits):
            return None
        event = frame.record.event
        height, width = frame.pixels.shape
        part = max(1.0, max(height, width) / FRAME_PX)
        small = shrunk(frame.pixels, max(1, round(height / part)), max(1, round(width / part)))
        height, width = small.shape
        picture = renderer.render([Layer(small, limits[event.c], GREY)], (height, width))
        planes = f", plane {event.z + 1}" if layout.images[event.image].size_z > 1 else ""
        caption = f"Frame {event.index}: {layout.images[event.image].name}, {event.channel}{planes}"
        return Picture(image_of(picture), layout.pixel_size_um * part, caption)

    return PictureView("lastFrameView", manager, revision, draw, "No frame has been stored yet.")
