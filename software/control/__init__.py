"""The application: how a run is planned, carried out and stored."""
