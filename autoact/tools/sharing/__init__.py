"""Tool sets as files: export without secrets, and import of what a person allows.

`bundle.py` writes and reads the file; `redaction.py` removes secrets from entries and `bundle_files.py` collects and
writes the code that belongs to a tool. The commands `autoact tools export` and `import` use it. Begin with
`bundle.py`.
"""
