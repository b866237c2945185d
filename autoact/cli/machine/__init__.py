"""The verbs `doctor`, `models`, `secrets` and `notify`: this machine, its models, its user's secrets and messages."""
