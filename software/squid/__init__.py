"""The instrument: what is there (devices) and what is wanted (models). Never imports ``control``."""
