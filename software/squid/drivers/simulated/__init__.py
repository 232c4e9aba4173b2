"""The simulated microscope: ordinary drivers that share a `SimulatedWorld`.

::

    stage ─┐
    light ─┤ attach          Scene                expected electrons          pixels
    wheel ─┼───────▶ world ─────────▶ specimen ──────────────────▶ exposure ─────────▶ camera
    turret ┘         (seed, plate, optics, faults)               (vignetting, noise)
"""
