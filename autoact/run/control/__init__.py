"""Commands to a running job, over a socket or as files."""
