"""How the outside reaches the use cases: events and schedules."""
