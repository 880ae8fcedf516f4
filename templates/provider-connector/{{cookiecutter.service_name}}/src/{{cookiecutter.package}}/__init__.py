"""Let payment services reach one card processor, in the words of the platform."""

__version__ = "0.1.0"
