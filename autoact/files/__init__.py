"""Reading and writing of files.

disk.py writes files and folders that are never half there, and locks folders; records.py reads the records of large
data files one at a time; toml_text.py parses TOML within limits. Every package may import this one, and it imports
only autoact.errors. Begin with disk.py.
"""
