"""Reads the trajectories of a file, and recognises its form from the first one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from autoact.errors import BadProject
from autoact.exchange.transcript import RawTrajectory, split_options
from autoact.files.records import DataRecord, RecordPlace, read_records
from autoact.metrics import reward
from autoact.project.questions import check_unique_id
from autoact.registry.forms import FORMS, TrajectoryForm
from autoact.registry.registry import load_object
from autoact.script import FORK
from autoact.trajectory import FINISH, IMPORTED, REFLECT, RIGHT, WRONG, Question, Step, Trajectory


class TrajectoryReader:
    """Makes trajectories from the records of one file."""

    def __init__(self, names: Mapping[str, str], form: str = "", *, right: bool = False):
        """`names` has the names of tools by what the file may call them, in lower case. `form` is recognised if empty.

        With `right`, a final answer counts as the gold answer where the file has none.
        """
        self.names = {FINISH.lower(): FINISH, REFLECT.lower(): REFLECT, **names}
        self.form: TrajectoryForm | None = FORMS.get(form) if form else None
        self.right = right
        self.unjudged = 0
        """Number of trajectories without a gold answer."""
        self._ids: dict[tuple[str, tuple[str, ...], str | None], str] = {}
        self._places: dict[str, RecordPlace] = {}
        self._tries: dict[str, int] = {}
        self.places: dict[str, RecordPlace] = {}
        """The place of each trajectory in its file, by unit."""

    def read(self, file: Path) -> list[Trajectory]:
        """Reads every trajectory of a file. Raises BadProject, with its position, at the first that cannot be used."""
        found = [self._read(record) for record in read_records(file)]
        if not found:
            raise BadProject("holds no trajectories", file=file)
        return found

    def _read(self, record: DataRecord) -> Trajectory:
        if self.form is None:
            self.form = recognise(record)
        if not _has_form(record.values, self.form):
            other = next((form.name for form in FORMS if _has_form(record.values, form)), "none that is known")
            raise record.place.error(f"expected the form `{self.form.name}`, found {other}; a file has one form")
        raw: RawTrajectory = load_object(f"{self.form.module}:parse")(record)
        if not raw.question.strip():
            raise record.place.error("found no question")
        if not any(step.action or step.observation for step in raw.steps):
            raise record.place.error("found no steps; expected tool calls, or lines that begin with Action:")
        steps = tuple(map(self._rename, raw.steps))
        return self._make(raw, steps, record.place)

    def _make(self, raw: RawTrajectory, steps: tuple[Step, ...], place: RecordPlace) -> Trajectory:
        final = next((step.argument for step in reversed(steps) if step.action == FINISH and not step.failed), None)
        gold = final if raw.answer is None and (raw.right or self.right) else raw.answer
        self.unjudged += gold is None
        question = self._question(raw, gold, place)
        number = self._tries[question.id] = self._tries.get(question.id, 0) + 1
        self.places[f"i-{question.id}-{number - 1}"] = place
        judged = next((step.argument for step in reversed(steps) if step.action == REFLECT), None)
        return Trajectory(
            f"i-{question.id}-{number - 1}", question, steps, final,
            verdict=judged if judged in (RIGHT, WRONG) else None,
            halt="answered" if raw.ended and final is not None else "steps",
            reward=reward(final, question), made=IMPORTED,
        )  # fmt: skip

    def _question(self, raw: RawTrajectory, gold: str | None, place: RecordPlace) -> Question:
        """Returns the question; one that came before in the file keeps its id. Raises BadProject for a used id."""
        text, choices = (raw.question.strip(), raw.choices) if raw.choices else split_options(raw.question)
        key = text, choices, gold
        if key not in self._ids:
            name = raw.id.replace(FORK, "-") or f"{IMPORTED}-{place.number:03d}"
            check_unique_id(self._places, name, place)
            self._ids[key] = name
        return Question(self._ids[key], text, gold, IMPORTED, choices=choices)

    def _rename(self, step: Step) -> Step:
        """Returns a step with the name that the tool has here, and a verdict in the words that it has here."""
        action = self.names.get(step.action.casefold(), step.action)
        argument = step.argument.strip() if action == FINISH else step.argument
        if action == REFLECT and not step.failed:
            argument = RIGHT if argument.strip().casefold() == RIGHT else WRONG
        return replace(step, action=action, argument=argument)


def recognise(record: DataRecord) -> TrajectoryForm:
    """Returns the form of a record. Raises BadProject, with the known forms, when it has none of them."""
    for form in FORMS:
        if _has_form(record.values, form):
            return form
    keys = ", ".join(sorted(record.values)[:8]) or "nothing"
    raise record.place.error(f"no form of trajectories that is known ({', '.join(FORMS.names())}); its keys are {keys}")


def _has_form(values: Mapping[str, Any], form: TrajectoryForm) -> bool:
    return bool(load_object(f"{form.module}:matches")(values))
