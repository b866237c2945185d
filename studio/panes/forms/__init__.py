"""The dialogs of the panes, a file for each pane: their fields, what is refused, and what an accepted dialog starts.

Only panes import them. Begin with `episodes`.
"""
