"""Screens: the projects, a project with its panes, a run, and dialogs."""
