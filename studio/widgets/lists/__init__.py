"""Lists with a cursor: a table for any number of rows and a menu for a few lines.

`cursor_list` has the keys that tables and transcripts share. Panes and screens import these widgets; these widgets
import nothing of panes or screens. Begin with `table`: a pane gives it an object that returns one row at a time.
"""
