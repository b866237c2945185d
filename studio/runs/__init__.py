"""The runs of a project as the screens show them: the list, the followed run, totals, progress and loss curves.

Everything is read from run folders through `autoact.run`; nothing is written. It knows no widget, pane or screen.
Begin with `follow`, which polls `run_list` (all runs) and `run_tail` (one log) and posts one message for a change;
`project_summary` does the same for a line of the project list.
"""
