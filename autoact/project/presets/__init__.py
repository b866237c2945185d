"""Presets of settings, one TOML file each; autoact/project/config.py reads them."""

PRESETS = ("quick", "full", "paper", "modern")
