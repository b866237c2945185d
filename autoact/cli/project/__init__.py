"""Commands that make, check, move and trust projects."""
