"""Drivers, one folder per technology; loaded by name through ``squid.registry``. Drivers do not know one another."""
