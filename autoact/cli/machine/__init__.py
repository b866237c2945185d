"""Commands about this machine and its user: its fitness, models, secrets."""
