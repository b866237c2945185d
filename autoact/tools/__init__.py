"""What agents act with: the tool library, the pages it searches, and one file per group of tools."""
