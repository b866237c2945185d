"""A project's files as panes read and write them."""
