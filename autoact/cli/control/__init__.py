"""Commands that act on a run: its answers, its end, its folder."""
