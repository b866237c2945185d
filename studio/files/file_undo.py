"""The changes of a file that can be undone, such as those of tools.toml."""

from __future__ import annotations

from pathlib import Path

from autoact.errors import AutoActError
from autoact.files import disk
from studio.actions import remote_machine


class FileUndo:
    """Keeps the content of the file before and after each change; None stands for no file."""

    def __init__(self, file: Path):
        self.file = file
        self._changes: list[tuple[bytes | None, bytes | None]] = []
        """The newest last."""

    def __bool__(self) -> bool:
        return bool(self._changes)

    def content(self) -> bytes | None:
        """Returns the content of the file; None where it is missing or cannot be read."""
        try:
            return self.file.read_bytes()
        except OSError:
            return None

    def add(self, before: bytes | None, after: bytes | None) -> None:
        """Remembers the content before and after a change, if they differ."""
        if after != before:
            self._changes.append((before, after))

    def restore(self) -> str:
        """Undoes the last change; returns the reason why it cannot be undone, else an empty string.

        Waits while another program changes the folder, so call it in a thread.
        """
        try:
            with disk.lock_folder(self.file.resolve().parent):  # also against a second call at the same time
                return self._restore()
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            return str(error)

    def _restore(self) -> str:
        if not self._changes:
            return "There is nothing to undo."
        before, after = self._changes[-1]
        reason = ""
        if self.content() != after:
            reason = f"{self.file.name} was changed elsewhere meanwhile; nothing is undone."
        elif before is None and remote_machine.current():  # no deletion is sent
            reason = f"There was no {self.file.name} before; delete it on its machine."
        elif before is None:
            self.file.unlink()
        else:
            disk.rewrite(self.file, before)
        self._changes.pop()
        return reason
