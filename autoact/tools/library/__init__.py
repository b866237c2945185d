"""The tool library of a project: records of tools, tools.toml, sessions that call them, checks and statistics.

`tool.py` defines a tool (record, group, bridge) and `catalogue.py` lists the built-in ones; `library.py` opens them
for a project and gives a session to each episode. `tools_toml.py` and `tools_toml_edit.py` read and edit the file,
`check.py` runs the tools' own checks, `shortlist.py` chooses the few that fit a task, `usage.py` counts past calls.
Commands, jobs and other tools import it. Begin with `tool.py`.
"""
