"""The local engine: models, adapters, batches of asks and their caches."""
