"""Where the ports meet PostgreSQL and the card processor."""
