"""The screens: the project list, one project with its panes, and dialogs over them.

Only `studio.app` and panes that open a dialog import it. `projects` lists projects, `project` shows one; `form`,
`confirm`, `lessons` and `help` are dialogs. Begin with `project`: it follows a run, holds the panes and updates the
one in sight. Style sheets lie beside the screens.
"""
