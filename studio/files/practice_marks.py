"""A person's marks on the practice questions of one run, as its file has them now, and the sample to be marked."""

from __future__ import annotations

from collections.abc import Sequence

from autoact.errors import BadInput
from autoact.lab.precision import Precision, choose_sample, estimate_precision
from autoact.run.record.folder import RunFolder
from autoact.run.record.marks import Key, Marks, read_marks, write_mark
from autoact.trajectory import Question
from studio.actions import remote_machine

NEXT: dict[bool | None, bool | None] = {None: True, True: False, False: None}
"""The mark that follows a mark: right, wrong, none."""
UNREAD = (-1, -1)
"""The stamp before the first reading."""


class PracticeMarks:
    """Reads the file again when it changes, so that the marks of other viewers are seen."""

    def __init__(self, folder: RunFolder):
        self.folder = folder
        self.values: Marks = {}
        self.sample: dict[Key, None] = {}
        """The questions to mark, in their order of choice."""
        self.error = ""
        """The reason why the file cannot be read; no mark is then written."""
        self._stamp = UNREAD

    def choose(self, questions: Sequence[Question]) -> None:
        """Chooses the sample among the questions of the run."""
        self.sample, self._stamp = dict.fromkeys(choose_sample(questions)), UNREAD

    def read(self) -> bool:
        """Reads the file if it was changed; returns whether it, or the sample, was."""
        stamp = _stamp(self.folder)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self.values, self.error = read_marks(self.folder), ""
        except BadInput as error:
            self.values, self.error = {}, str(error).replace(f"{self.folder.path}/", "")
        return True

    def change(self, key: Key) -> None:
        """Gives a question its next mark. Raises AutoActError or OSError when that is not written."""
        write_mark(self.folder, key, NEXT[self.values.get(key)], elsewhere=remote_machine.current() is not None)

    @property
    def obstacle(self) -> str:
        """The reason why no mark can be written; empty if one can."""
        foreign = "" if remote_machine.is_trusted(self.folder.path) else "This run came from elsewhere; trust it first."
        return self.error or foreign

    @property
    def precision(self) -> Precision:
        return estimate_precision(list(self.sample), self.values)


def _stamp(folder: RunFolder) -> tuple[int, int]:
    """Returns the file's modification time in ns and its inode, which every writing changes; zeros without a file."""
    try:
        found = folder.marks.lstat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino
