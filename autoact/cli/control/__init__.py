"""The verbs that act on a run: `pause` to `drop` (command.py), `fork`, `cancel`, `delete`, `export` and `import`."""
