"""Backends start a job's command somewhere and tell how it ended; `protocol` says what one has to offer."""
