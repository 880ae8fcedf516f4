"""Take, capture, void and refund card payments through a provider."""

__version__ = "0.1.0"
