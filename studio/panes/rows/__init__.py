"""The rows of the panes' tables, and texts beside them: figures of a run, choices of methods, obstacles.

Each class whose name ends in Rows gives a `studio.widgets.lists.table` its cells and keys; a table asks only for the
rows in sight. Only panes import it. Begin with `asked_questions`, the shortest.
"""
