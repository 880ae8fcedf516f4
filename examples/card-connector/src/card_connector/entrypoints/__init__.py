"""How the outside reaches the use cases: the provider API, and the processor's webhooks."""
