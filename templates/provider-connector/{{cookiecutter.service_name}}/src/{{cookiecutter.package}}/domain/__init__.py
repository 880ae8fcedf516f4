"""The platform's words for what a provider does: pure, no I/O, no framework."""
