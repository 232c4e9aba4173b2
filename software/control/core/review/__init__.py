"""What is read back from a run folder: planes, records of frames, the report; `control.core.stored_run` opens it."""
