"""Glue for what calls a service's code; a module is named after its framework."""
