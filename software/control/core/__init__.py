"""How a run works, without a window."""
