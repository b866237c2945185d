"""Reads a project, the folder that a person curates; errors name file, line and key, and what was expected.

project.toml       task, model, one small section per stage
examples.jsonl     seed examples, at least one; `steps` makes one a demonstration
tools.toml         the curated tool library (optional)
corpus/            documents for offline search (optional)
questions/         reference.jsonl and heldout.jsonl (optional): a control set, and the evaluation set
games/             text games, made when they are first played (environment `textworld`)
runs/              a folder for each run
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import platformdirs

from autoact.errors import BadInput, BadProject
from autoact.files import disk
from autoact.files.saved_dataset import is_saved_dataset
from autoact.project import config_file
from autoact.project.config import Config
from autoact.project.questions import read_examples, read_questions
from autoact.project.recent import find_root
from autoact.security import trust
from autoact.trajectory import Example, Question

TEMPLATES = ("starter", "hotpotqa", "scienceqa", "textworld", "blank")


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder. Each method reads its file anew."""

    root: Path

    @classmethod
    def open(cls, root: Path | str) -> Project:
        """Returns the project in the folder `root`, or of this name. Raises BadProject when there is none."""
        path = find_root(root, projects_folder()).resolve()
        if not (path / "project.toml").is_file():
            raise BadProject(
                "no project here: expected a folder with a project.toml, or a project's name (`autoact new` makes one)",
                file=root,
            )
        return cls(path)

    @staticmethod
    def file(path: str) -> Path:
        """Returns the path of a file or saved data set that is named on a command line. Raises BadInput."""
        file = disk.expand_user(path)
        if not file.is_file() and not is_saved_dataset(file):
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

    def questions_file(self, which: str) -> Path:
        """Returns the path of the `reference` or `heldout` questions; the file may be absent."""
        return self.root / "questions" / f"{which}.jsonl"

    def config(self, preset: str | None = None, changes: Mapping[str, str] | None = None) -> Config:
        """Returns the settings, with a preset and changes applied. Raises BadProject or BadInput."""
        found = config_file.read(self.root / "project.toml", preset=preset, changes=changes)
        return config_file.resolve_model_path(found, self.root)

    def examples(self) -> list[Example]:
        """Reads the seed examples. Raises BadProject when there are none: the method needs at least one."""
        file = self.root / "examples.jsonl"
        if not file.exists():
            raise BadProject("not found; expected one JSON object a line with question and answer", file=file)
        found = read_examples(file)
        if not found:
            raise BadProject(
                'empty; expected at least one example, as in {"question": "...", "answer": "..."}', file=file
            )
        return found

    def questions(self, which: str, limit: int = 0) -> list[Question]:
        """Reads at most `limit` (0: all) `reference` or `heldout` questions; none when the file is absent.

        Raises BadProject.
        """
        file = self.questions_file(which)
        return read_questions(file, which, limit) if file.exists() else []


def create(root: Path, template: str = "starter") -> Project:
    """Makes a project folder from a template. Raises BadInput for an unknown one, and where no folder can be made."""
    if template not in TEMPLATES:
        raise BadInput(f"no template `{template}`; known: {', '.join(TEMPLATES)}", key="--template")
    try:
        with resources.as_file(resources.files("autoact.project") / "templates" / template) as source:
            _copy_new(source, root)
    except OSError as error:
        if isinstance(error, FileExistsError) and root.exists():
            raise BadInput("already exists and is not empty; choose another folder", file=root) from error
        parent = root if root.exists() else root.absolute().parent
        raise BadInput(f"cannot write in {parent}: {error.strerror or error}") from error
    trust.mark_trusted(root.resolve())
    return Project.open(root)


def _copy_new(source: Path, root: Path) -> None:
    """Copies a template to a new folder, or into an existing empty one, which may be the working folder.

    Raises FileExistsError, and replaces nothing, when the folder holds files or another process adds some meanwhile.
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


def projects_folder() -> Path:
    """Returns the folder of projects when no other is named; AUTOACT_PROJECTS overrides it."""
    return Path(os.environ.get("AUTOACT_PROJECTS") or platformdirs.user_data_path("autoact") / "projects")


def list_projects(folder: Path | None = None) -> list[Project]:
    """Returns the projects in a folder, sorted by name."""
    return [Project(file.parent.resolve()) for file in sorted((folder or projects_folder()).glob("*/project.toml"))]
