"""Settings that go together, one TOML file each."""
