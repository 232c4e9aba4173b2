"""What is wanted and what was seen, as frozen data; no model knows a device."""
