"""Files and folders: safe reading and writing, records of data files, TOML within bounds."""
