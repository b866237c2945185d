"""The tools of agents, a package for each kind, and the tool library of a project.

Packages: `library` (tools.toml, records, sessions, checks), `pages` and `web` (search and retrieval), `database`,
`knowledge`, `images` and `simple` (the other built-in tools), `bridges` (tools that people bring), `sandbox` (runs
programs of a model), `sharing` (tool sets as files). Tools import no stage, model, run or command. Begin with
`library/tool.py` for the interface of a tool and `library/library.py` for how an episode calls it.
"""
