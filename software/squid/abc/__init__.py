"""Device kinds, one file each: a public method validates, the driver writes the matching ``_do_…``."""
