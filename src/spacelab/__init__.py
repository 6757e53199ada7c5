"""Spacelab: an open, self-hostable science platform."""

__version__ = "0.1.0"
