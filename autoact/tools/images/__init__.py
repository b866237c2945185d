"""Tools that read and draw pictures."""
