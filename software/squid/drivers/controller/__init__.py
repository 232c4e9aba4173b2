"""The Squid controller: its serial link and the devices on it."""
