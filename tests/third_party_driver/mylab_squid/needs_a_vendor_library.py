"""A driver whose vendor's library is not installed here."""

import vendor_library_that_nobody_has

Camera = vendor_library_that_nobody_has.Camera
