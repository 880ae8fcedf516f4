"""Where the ports meet the card processor and the payment service."""
