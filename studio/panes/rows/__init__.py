"""The rows of the panes' tables: questions of sessions, examples and practice questions, and tools.

Each class here gives a `studio.widgets.lists.table` its cells and keys; a table asks only for the rows in sight.
Only panes import it. Begin with `asked_questions`, the shortest.
"""
