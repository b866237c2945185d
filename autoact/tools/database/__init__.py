"""The Database tool: SQL over CSV files, SQLite files and servers."""
