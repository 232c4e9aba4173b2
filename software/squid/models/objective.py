"""An objective, and the pixel size it gives."""

from __future__ import annotations

from pydantic import Field

from squid.models.base import FileModel


class Objective(FileModel):
    """One objective.

    Attributes
    ----------
    magnification : float
        With the tube lens that it was made for.
    numerical_aperture : float
        Of the objective.
    tube_lens_f_mm : float
        Focal length of the tube lens that the magnification refers to.
    """

    magnification: float = Field(gt=0)
    numerical_aperture: float = Field(gt=0, lt=2)
    tube_lens_f_mm: float = Field(default=180.0, gt=0)

    def pixel_size_um(self, sensor_pixel_um: float, binning: int, tube_lens_mm: float) -> float:
        """Return the pixel size at the sample in µm.

        Parameters
        ----------
        sensor_pixel_um : float
            Pixel pitch of the sensor.
        binning : int
            Binning in force.
        tube_lens_mm : float
            Focal length of the microscope's own tube lens.
        """
        return sensor_pixel_um * binning * self.tube_lens_f_mm / self.magnification / tube_lens_mm
