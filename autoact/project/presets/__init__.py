"""Presets of settings, one TOML file each; autoact/project/config.py reads them."""
