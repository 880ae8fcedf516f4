"""The developer's tool: generate payment services, run them locally, and keep them up to date."""
