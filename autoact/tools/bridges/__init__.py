"""Tools that people bring: Python functions, langchain classes, MCP servers and HTTP endpoints.

Each kind reads an entry of tools.toml and makes a `Group` of it; foreign code runs in a child process.
`library/catalogue.py` imports the kinds, the child imports `worker`. Begin with `child_tool.py` (one tool in a child)
and `child.py`; `protocol.py` has the messages between the two processes, `arguments.py` turns a model's text into named
arguments.
"""
