"""Tools of one file: arithmetic, Python programs, tables as text."""
