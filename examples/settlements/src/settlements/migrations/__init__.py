"""The database schema, one module a step; the command `migrate` applies what is missing."""
