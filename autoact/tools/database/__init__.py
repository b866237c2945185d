"""The Database tool: SQL questions about CSV files, a SQLite file or a database server, which can only read.

`database.py` is the tool. It asks a reader: `sqlite.py` (a worker process with a guarded connection, the program
`sqlite_worker.py`; CSV files become a SQLite file by `csv_tables.py`) or `server.py` (SQLAlchemy). The catalogue
imports the tool; other tools use the formatting of rows. Begin with `database.py`.
"""
