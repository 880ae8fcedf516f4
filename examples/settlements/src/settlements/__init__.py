"""Add up what merchants are owed, from the events of payments."""

__version__ = "0.1.0"
