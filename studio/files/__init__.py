"""A project's files as panes read and write them, and the practice questions of a run with a person's marks.

It knows no widget and no pane. Each module is one file or list: `project_toml` (settings; comments stay),
`examples_jsonl` (seed examples), `tool_list` (what `autoact tools list --json` prints), `practice_questions`,
`practice_marks`. Begin with `examples_jsonl`.
"""
