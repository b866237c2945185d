"""A project: the folder a person curates, read with errors that say where and what was expected.

project.toml       task, model, one small section per stage
examples.jsonl     seed examples, at least one; `steps` makes one a demonstration
tools.toml         the curated tool library (optional)
corpus/            documents for offline search (optional)
questions/         reference.jsonl and heldout.jsonl (optional): a control set, and the evaluation set
runs/              one folder a run
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import orjson
import platformdirs

from autoact import config, disk, trust
from autoact.config import Config
from autoact.errors import BadInput, BadProject
from autoact.trajectory import Example, Question, Step

TEMPLATES = ("starter", "hotpotqa", "scienceqa", "blank")


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder. Nothing is read until it is asked for."""

    root: Path

    @classmethod
    def open(cls, root: Path | str) -> Project:
        """The project at `root`. Raises BadProject when there is none."""
        path = Path(root).expanduser().resolve()
        if not (path / "project.toml").is_file():
            raise BadProject(
                "no project here: expected a folder with a project.toml (`autoact new` makes one)", file=root
            )
        return cls(path)

    @staticmethod
    def file(path: str) -> Path:
        """A file a person named on a command line. Raises BadInput when there is none."""
        file = Path(path).expanduser()
        if not file.is_file():
            raise BadInput("not found; expected a file", file=path)
        return file

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def tools_toml(self) -> Path | None:
        file = self.root / "tools.toml"
        return file if file.exists() else None

    @property
    def corpus(self) -> Path:
        return self.root / "corpus"

    def config(self, preset: str | None = None, changes: Mapping[str, str] | None = None) -> Config:
        """The settings, with a preset and changes on top. Raises BadProject or BadInput."""
        return config.located(config.read(self.root / "project.toml", preset=preset, changes=changes), self.root)

    def examples(self) -> list[Example]:
        """The seed examples. Raises BadProject when there are none: the method needs at least one."""
        file = self.root / "examples.jsonl"
        if not file.exists():
            raise BadProject("not found; expected one JSON object a line with question and answer", file=file)
        rows = _rows(file)
        found = [example_of(row, file, line) for line, row in rows]
        if not found:
            raise BadProject(
                'empty; expected at least one example, as in {"question": "...", "answer": "..."}', file=file
            )
        _refuse_twins([(example.question.id, line) for (line, _), example in zip(rows, found, strict=True)], file)
        return found

    def questions(self, which: str) -> list[Question]:
        """`reference` or `heldout` questions; none when the file is absent. Raises BadProject."""
        file = self.root / "questions" / f"{which}.jsonl"
        return questions(file, origin=which) if file.exists() else []


def questions(file: Path, origin: str) -> list[Question]:
    """The questions of a JSONL file: AutoAct's own form, HotpotQA's or ScienceQA's. Raises BadProject."""
    if not file.exists():
        raise BadProject("not found; expected a JSONL file of questions", file=file)
    found = [_question(row, file, line, origin) for line, row in _rows(file)]
    if not found:
        raise BadProject("empty; expected one JSON object a line with question and answer", file=file)
    return found


def _rows(file: Path) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise BadProject(f"not valid JSON: {error}", file=file, line=number) from error
        if not isinstance(row, dict):
            raise BadProject(f"expected a JSON object, found {type(row).__name__}", file=file, line=number)
        rows.append((number, row))
    return rows


def example_of(row: dict[str, Any], file: Path, line: int) -> Example:
    """The example that a line of examples.jsonl says. Raises BadProject with file, line and key."""
    question = _question(row, file, line, "seed")
    steps = row.get("steps", [])
    if not isinstance(steps, list):
        raise BadProject("expected a list of steps", file=file, line=line, key="steps")
    return Example(question, tuple(_step(step, file, line) for step in steps))


def _step(row: Any, file: Path, line: int) -> Step:
    wanted = ("thought", "action", "argument")
    if not isinstance(row, dict) or any(not isinstance(row.get(key), str) for key in wanted):
        raise BadProject(f"every step needs the texts {', '.join(wanted)}", file=file, line=line, key="steps")
    return Step(row["thought"], row["action"], row["argument"], str(row.get("observation", "")))


def _question(row: dict[str, Any], file: Path, line: int, origin: str) -> Question:
    text = _text(row, ("question", "Question"), file, line)
    answer = _text(row, ("answer", "Answer"), file, line)
    if "Options:" in text and row.get("choices"):
        text = text.partition("\nOptions:")[0]  # ScienceQA repeats its options in the question
    choices = _choices(row, answer, file, line)
    gold = _titles(row, file, line)
    return Question(
        id=str(row.get("id") or row.get("pid") or f"{origin}-{line:03d}"), text=text, answer=answer, origin=origin,
        level=str(row.get("level") or row.get("grade_band") or ""), type=str(row.get("type") or ""),
        choices=choices, gold=gold,
    )  # fmt: skip


def _choices(row: dict[str, Any], answer: str, file: Path, line: int) -> tuple[str, ...]:
    """The options of a multiple-choice question, of which the answer is the letter or the words of one."""
    choices = tuple(map(str, _list(row, "choices", file, line)))
    if choices and not {answer, answer.upper()}.intersection((*ascii_uppercase[: len(choices)], *choices)):
        wanted = f"a letter from A to {ascii_uppercase[len(choices) - 1]}, or the words of an option"
        raise BadProject(f"expected {wanted}, found {answer!r:.40}", file=file, line=line, key="answer")
    return choices


def _titles(row: dict[str, Any], file: Path, line: int) -> tuple[str, ...]:
    """Gold pages, as AutoAct's `gold` or HotpotQA's `supporting_facts`, a list of [title, sentence] pairs."""
    if "gold" in row:
        return tuple(dict.fromkeys(map(str, _list(row, "gold", file, line))))
    facts = _list(row, "supporting_facts", file, line)
    if not all(isinstance(fact, list) and len(fact) == 2 for fact in facts):
        raise BadProject("expected pairs of title and sentence number", file=file, line=line, key="supporting_facts")
    return tuple(dict.fromkeys(str(title) for title, _ in facts))


def _list(row: dict[str, Any], key: str, file: Path, line: int) -> list[Any]:
    found = row.get(key) or []
    if not isinstance(found, list):
        raise BadProject(f"expected a list, found {type(found).__name__}", file=file, line=line, key=key)
    return found


def _text(row: dict[str, Any], keys: tuple[str, ...], file: Path, line: int) -> str:
    value = next((row[key] for key in keys if key in row), None)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if value is None else repr(value)[:40]
        raise BadProject(f"expected a text, found {found}", file=file, line=line, key=keys[0])
    return value.strip()


def _refuse_twins(ids: list[tuple[str, int]], file: Path) -> None:
    seen: dict[str, int] = {}
    for name, line in ids:
        if name in seen:
            raise BadProject(
                f"`{name}` is already used in line {seen[name]}; ids must differ", file=file, line=line, key="id"
            )
        seen[name] = line


def create(root: Path, template: str = "starter") -> Project:
    """Make a project folder from a template. Raises BadInput when it exists or the template is unknown."""
    if template not in TEMPLATES:
        raise BadInput(f"no template `{template}`; known: {', '.join(TEMPLATES)}", key="--template")
    try:
        with resources.as_file(resources.files("autoact") / "templates" / template) as source:
            _copy_new(source, root)
    except FileExistsError as error:
        raise BadInput("already exists and is not empty; choose another folder", file=root) from error
    trust.enter(root.resolve())
    return Project.open(root)


def _copy_new(source: Path, root: Path) -> None:
    """Copies a template to a new folder, or into an empty one that a person may stand in.

    Raises FileExistsError, with nothing replaced, when files are there or appear meanwhile.
    """
    if not root.exists():
        with disk.new_folder(root) as part:
            shutil.copytree(source, part, dirs_exist_ok=True)
            (part / "runs").mkdir()
        return
    if not root.is_dir() or any(root.iterdir()):
        raise FileExistsError(root)
    (root / "runs").mkdir()
    for path in sorted(source.rglob("*")):
        target = root / path.relative_to(source)
        if path.is_dir():
            target.mkdir()
        else:
            with target.open("xb") as file:
                file.write(path.read_bytes())


def home() -> Path:
    """Where projects live when no folder is named; AUTOACT_PROJECTS overrides it."""
    return Path(os.environ.get("AUTOACT_PROJECTS") or platformdirs.user_data_path("autoact") / "projects")


def projects(folder: Path | None = None) -> list[Project]:
    """The projects in a folder, by name."""
    return [Project(file.parent.resolve()) for file in sorted((folder or home()).glob("*/project.toml"))]
