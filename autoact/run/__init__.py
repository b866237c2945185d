"""A run: what is kept of it (record), its processes, its commands (control), and what plays it (conductor)."""
