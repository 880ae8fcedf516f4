"""How the outside reaches the use cases: HTTP, provider webhooks, schedules."""
