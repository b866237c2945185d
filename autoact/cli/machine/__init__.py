"""The verbs `doctor`, `models` and `secrets`: this machine's libraries and memory, its models, its user's secrets."""
