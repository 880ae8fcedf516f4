"""The database schema, one module a step; `python -m payments migrate` applies what is missing."""
