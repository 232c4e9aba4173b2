"""The well in work, its fields at their places, larger than on the plate."""

from __future__ import annotations

from control.core.previews import Previews
from control.core.rendering import Layer, Renderer
from control.gui.channel_picker import ChannelPicker, Layers
from control.gui.picture_view import Picture, PictureView, image_of
from squid.utils.worker_manager import WorkerManager


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
