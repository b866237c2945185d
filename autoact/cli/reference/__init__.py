"""The verbs about the commands: `man`, `agent-docs` and `completion`, made from the parser's table, and `mcp`."""
