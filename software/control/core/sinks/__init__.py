"""Where frames go: one protocol, one file per format."""
