"""The studio on a project of another machine: `studio ssh://host/path` over the person's own ssh.

The other machine runs `studio --serve`, which sends the project's small files and the logs of its runs. Here they are a
copy, which the studio reads as any project. Commands and edits go back over the same line.
"""
