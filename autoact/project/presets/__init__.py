"""Presets of settings, one TOML file each; autoact/project/config_file.py reads them."""

PRESETS = ("quick", "full", "paper", "modern")
