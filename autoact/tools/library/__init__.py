"""The tool library of a project: tools.toml, what each tool needs, calls with limits, checks and use."""
