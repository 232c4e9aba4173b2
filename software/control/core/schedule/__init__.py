"""From a plan to the stream of its events.

::

    optics = Optics(objective, pixel_size_um, shape_px, dtype, significant_bits)      # from the open microscope
    schedule = Schedule.build(plan, microscope.config, origin, optics)                # origin: where the stage stands

    len(schedule), schedule.frames      number of events, counted in closed form
    schedule.events(start=0)            iterator of AcquisitionEvent from any index on, in constant memory
    schedule.event(index)               one of them
    schedule.layout()                   DatasetLayout; its images are computed on demand
    schedule.channels                   tuple of ChannelLayout: presets as this run uses them
    schedule.origin                     keep it with the run: a resumed run must be built with the same one

Knows useq-schema, plates and channels; no device, no file of the run.
"""

from control.core.schedule.schedule import Optics, Schedule

__all__ = ["Optics", "Schedule"]
