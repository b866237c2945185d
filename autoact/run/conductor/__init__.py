"""Plays stages: serves the wishes of many episodes at once, and obeys commands in between."""
