"""The changes of a tools.toml that can be undone."""

from __future__ import annotations

from pathlib import Path

from autoact.files import disk


class ToolsFileUndo:
    """Keeps the content of the file before and after each change; None stands for no file."""

    def __init__(self, file: Path):
        self.file = file
        self._changes: list[tuple[bytes | None, bytes | None]] = []
        """The newest last."""

    def __bool__(self) -> bool:
        return bool(self._changes)

    def content(self) -> bytes | None:
        return self.file.read_bytes() if self.file.exists() else None

    def add(self, before: bytes | None) -> None:
        """Remembers the content before a change, if the file differs from it now."""
        if (after := self.content()) != before:
            self._changes.append((before, after))

    def restore(self) -> str:
        """Undoes the last change; returns the reason why it cannot be undone, else an empty string."""
        before, after = self._changes.pop()
        with disk.lock_folder(self.file.resolve().parent):
            if self.content() != after:
                return "tools.toml was changed elsewhere meanwhile; nothing is undone."
            if before is None:
                self.file.unlink()
            else:
                disk.rewrite(self.file, before)
        return ""
