"""The business rules: pure, no I/O, no framework."""
