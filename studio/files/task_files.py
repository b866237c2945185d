"""The task of a project and its examples, as a person edits them: project.toml and examples.jsonl."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autoact.errors import AutoActError, BadInput
from autoact.files import disk
from autoact.project.config import Task
from studio.files import examples_jsonl, project_toml
from studio.files.examples_jsonl import ExampleLine

MOST_UNDOS = 20
"""Changes of the examples that can be undone."""
CHANGED = "The files were changed elsewhere and have been read again; check them and try again."
MakeRows = Callable[[], Sequence[ExampleLine]]
FileTimes = tuple[int, int]
"""Modification times in ns of examples.jsonl and project.toml when they were read."""


class TaskFiles:
    """Never writes over what another program has changed since it was read."""

    def __init__(self, project: Path):
        self.task = Task()
        self.rows: Sequence[ExampleLine] = ()
        self.problem = ""
        """The reason why they could not be read; nothing is saved then."""
        self.read_at: FileTimes | None = None
        """None before they are read for the first time."""
        self._project = project
        self._examples = project / "examples.jsonl"
        self._undo: list[Sequence[ExampleLine]] = []
        """The examples before each change, the newest last."""

    @property
    def is_current(self) -> bool:
        """Whether the files are as they were when they were read."""
        return self.read_at == self._file_times()

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    def read(self) -> None:
        """Reads both files. Raises BadProject for one that cannot be read; what was read before stays.

        Changes of the examples before one of another program are not undone.
        """
        self.read_at = self._file_times()
        try:
            task, rows = project_toml.read(self._project).task, examples_jsonl.read(self._examples)
        except AutoActError as error:
            self.problem = str(error)
            raise
        if [row.line for row in rows] != [row.line for row in self.rows]:
            self._undo.clear()
        self.task, self.rows, self.problem = task, rows, ""

    def save_task(self, values: Mapping[str, str]) -> None:
        """Writes the values of the task. Raises as `save_examples` does."""
        if self.problem or not self.is_current:
            self._read_again()
        project_toml.save(self._project, "task", values)
        self.read()

    def save_examples(self, make: MakeRows, read_at: FileTimes | None = None) -> None:
        """Writes the result of `make` as the examples; those of before can be undone.

        Raises BadInput when the files have changed since `read_at`, else since they were last read, and reads them
        again; BadProject for files or rows that are invalid; OSError.
        """
        with disk.lock_folder(self._examples.resolve().parent):  # another studio saves before or after this
            if self.problem or (read_at or self.read_at) != self._file_times():
                self._read_again()
            examples_jsonl.save(self._examples, make())
        self._undo = [*self._undo[1 - MOST_UNDOS :], self.rows]
        self.read_at = self._file_times()
        self.rows = examples_jsonl.read(self._examples)  # errors name the lines that they now have

    def undo(self) -> None:
        """Writes the examples as they were before the last change. Raises as `save_examples` does."""
        before = self._undo[-1]
        self.save_examples(lambda: before)
        del self._undo[-2:]

    def _read_again(self) -> None:
        self.read()
        raise BadInput(CHANGED)

    def _file_times(self) -> FileTimes:
        return disk.file_time(self._examples), disk.file_time(self._project / "project.toml")
