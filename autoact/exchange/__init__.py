"""Import and export of trajectories in the forms of other programs.

`registry/forms.py` has the table of forms; each is a short file here. Begin with `reading`, which recognises the form
of a file, then `imported_run`, which makes a run of its trajectories.
"""
