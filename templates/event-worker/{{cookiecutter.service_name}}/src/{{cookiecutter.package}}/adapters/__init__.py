"""Where the ports meet PostgreSQL, and where the events of payments are read."""
