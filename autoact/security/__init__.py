"""Protection from untrusted projects, text and hosts: trust, secrets, grants, sanitised text, child processes."""
