"""The window: one face of `control.core`, thin; one panel per file, each given the core objects that it serves."""
