"""A project's settings: one small section per stage, read from TOML, with errors that name file, line and key."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from autoact import toml_text
from autoact.errors import BadInput, BadProject
from autoact.registry.roles import SUB_AGENTS
from autoact.trajectory import Cast

PRESETS = ("quick", "full")

Some = Annotated[int, Meta(ge=1)]
"""At least one."""
Count = Annotated[int, Meta(ge=0)]
"""Zero or more."""
Share = Annotated[float, Meta(ge=0, le=1)]
"""From 0 to 1."""
Rate = Annotated[float, Meta(ge=0)]
"""Not negative: a temperature, a learning rate."""


AdapterName = Annotated[str, Meta(pattern=r"^(?!meta$|world$)[a-z][a-z0-9_-]{0,30}$")]
"""The name of a folder, and not that of the base model or the environment."""
PlayedPart = Annotated[str, Meta(pattern=r"^(plan|reflect|tool(:\S+)?)$")]
"""A role whose parts of a turn an adapter speaks; `tool:NAME` for the arguments of one tool."""


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """The parent of every section: an unknown key is an error."""


class Task(Section, frozen=True):
    """The target task information: name M and description P (paper, section 3.1)."""

    name: str = "untitled"
    description: str = "Answer the question."
    """Goes into every prompt."""
    answer: Literal["short", "choice"] = "short"
    """Whether answers are a few words or the letter of an option."""
    environment: str = "qa"
    """What episodes act in, a name of autoact.registry.environments."""


class Model(Section, frozen=True):
    """The base model and how it runs."""

    id: str = "smollm2-135m-instruct"
    """`autoact models list` shows names; a folder, a .gguf file or a Hugging Face id also does."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    lanes: Some = 24
    """Most episodes in flight at once."""
    seed: int = 7
    engine: str = "local"
    """The kind of engine that runs it, a name of autoact.registry.engines."""


class SelfInstruct(Section, frozen=True):
    """Stage 1: the meta-agent writes practice questions."""

    target: Some = 60
    """Questions wanted, seeds not counted."""
    round: Some = 24
    """Questions tried at a time."""
    stall: Some = 3
    """Rounds in a row without any question accepted before it gives up."""
    passes: Some = 3
    """How often it may go through the corpus."""
    temperature: Rate = 0.7
    top_p: Share = 0.95
    similar: float = 85.0
    """Two questions at least this alike (0 to 100, edit ratio of the normalised texts) count as one."""


class ToolSelection(Section, frozen=True):
    """Stage 2: the meta-agent picks the tools the task needs."""

    most: Some = 3
    """Tools at most."""
    offered: Some = 12
    """Tools the meta-agent chooses among: of a larger library, those whose descriptions fit the task best."""
    by: Literal["likelihood", "names"] = "likelihood"
    """How it chooses from a library larger than that: for each question the tool after whose description it finds the
    question likeliest, which small models do far better, or by naming tools as from a small library."""
    temperature: Rate = 0.0


class Synthesis(Section, frozen=True):
    """Stage 3: every question is tried."""

    questions: Literal["self", "reference"] = "self"
    """Practise on self-made questions, or on the project's reference questions (the paper's control)."""
    samples: Some = 4
    """Tries per question."""
    demonstrations: Count = 3
    """Worked seed examples shown to the meta-agent, the first so many; 0 is the paper's zero-shot.

    A small model imitates the last one shown most: after a yes/no example it answers everything with yes or no.
    """
    steps: Some = 4
    reflections: Count = 1
    temperature: Rate = 0.6
    top_p: Share = 0.95


class Filtering(Section, frozen=True):
    """Stage 4: what is worth learning from."""

    per_question: Some = 2
    """Trajectories kept per question, shortest first."""
    grounded: bool = True
    """The answer must have been seen in an observation (yes/no answers are exempt)."""
    reasoned: bool = True
    """The thought before the answer must say it: a lucky answer teaches the plan-agent to think nothing."""


class Differentiation(Section, frozen=True):
    """Stage 5: three LoRA adapters (paper, table of hyper-parameters: r 8, alpha 16, dropout 0.05, q and v)."""

    adapters: dict[AdapterName, tuple[PlayedPart, ...]] = field(
        default_factory=lambda: {name: (name,) for name in SUB_AGENTS}
    )
    """The adapters to train, and the parts that each plays: plan, tool, reflect, or `tool:NAME` for one tool's
    arguments. One adapter for all, three, or one for each tool are three such tables."""
    rank: Some = 8
    alpha: Some = 16
    dropout: Share = 0.05
    targets: tuple[str, ...] = ("q_proj", "v_proj")
    learning_rate: Rate = 1e-3
    epochs: Some = 3
    batch: Some = 2
    """Trajectories per optimiser step."""
    warmup: Share = 0.03
    demonstrations: Count = 0
    """Worked examples in the sub-agents' prompt; they have learned the form, so none are needed."""
    wrong_share: Share = 0.3
    """Share of wrong runs among the reflect-agent's trajectories."""
    save_every: Some = 20
    """Optimiser steps between checkpoints."""

    def cast(self) -> Cast:
        """Returns the cast of these adapters."""
        return Cast("group", {part: name for name, parts in self.adapters.items() for part in parts})


def trained_cast(config: Mapping[str, Any]) -> Cast:
    """Returns the cast of the adapters that a run trains, from its settings as the log has them."""
    section = config.get("differentiation")
    adapters = section.get("adapters") if isinstance(section, Mapping) else None
    try:
        return msgspec.convert({"adapters": adapters} if adapters else {}, Differentiation).cast()
    except msgspec.ValidationError:
        return Differentiation().cast()


class GroupPlanning(Section, frozen=True):
    """Stage 6: the three together answer the held-out questions."""

    limit: Count = 0
    """Held-out questions to answer; 0 means all."""
    compare: tuple[str, ...] = ("meta", "group")
    """Methods that answer them, names of autoact.registry.methods."""
    temperature: Rate = 0.0
    top_p: Share = 1.0
    steps: Some = 4
    reflections: Count = 1


class Session(Section, frozen=True):
    """A live session: the model stays loaded and answers what a person asks."""

    idle: Some = 900
    """Seconds without a question after which it ends."""


class Plan(Section, frozen=True):
    """What one run is to do. Written by the commands, not by hand."""

    stages: tuple[str, ...] = ()
    """Stages to run, in the pipeline's order."""
    base: str = ""
    """A run of the same project whose material the skipped stages take."""
    data: str = ""
    """A file of questions that takes the place of the held-out ones, its paragraphs that of the corpus."""
    question: str = ""
    """One question from a person, in place of the held-out ones."""


class Config(Section, frozen=True):
    """Everything a run needs to know; written once into the run's folder."""

    run: Plan = Plan()
    task: Task = Task()
    model: Model = Model()
    self_instruct: SelfInstruct = SelfInstruct()
    tool_selection: ToolSelection = ToolSelection()
    synthesis: Synthesis = Synthesis()
    filtering: Filtering = Filtering()
    differentiation: Differentiation = Differentiation()
    group_planning: GroupPlanning = GroupPlanning()
    session: Session = Session()


def read(file: Path, *, preset: str | None = None, changes: Mapping[str, str] | None = None) -> Config:
    """The settings in `file`, then those of a preset, then `section.key=value` changes. Raises BadProject."""
    try:
        text = file.read_text(encoding="utf-8")
        values = toml_text.parse(text)
    except FileNotFoundError as error:
        raise BadProject(
            "not found; a project folder holds a project.toml (`autoact new` makes one)", file=file
        ) from error
    except OSError as error:
        raise BadProject(f"cannot be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        raise BadProject(f"not UTF-8 text: {error.reason} at byte {error.start}", file=file) from error
    except toml_text.TOMLDecodeError as error:
        raise BadProject(f"not valid TOML: {error}", file=file) from error
    of_file(values, file, text)
    if preset:
        values = merged(values, preset_values(preset))
    if changes:
        values = merged(values, changed(changes))
    return _converted(values, lambda key, why: BadInput(f"{why} (in a preset or a --set)", key=key))


def located(found: Config, root: Path) -> Config:
    """Makes the path of a model absolute, because a job runs in another folder.

    A path that begins with a dot is looked for in the project's folder `root` first, then in the working folder.
    """
    path = Path(os.path.expanduser(found.model.id))  # noqa: PTH111 - Path's raises for a user who is not there
    places = [root / path, path.absolute()] if found.model.id.startswith(".") else [path.absolute()]
    for place in places:
        if (place / "config.json").exists() or (place.suffix == ".gguf" and place.exists()):
            return msgspec.structs.replace(found, model=msgspec.structs.replace(found.model, id=str(place)))
    return found


def of_file(values: Mapping[str, Any], file: Path, text: str) -> Config:
    """Check a file's own values, so that errors can name its lines."""
    return _converted(values, lambda key, why: BadProject(why, file=file, line=line_of(text, key), key=key))


def _converted(values: Mapping[str, Any], error: Any) -> Config:
    try:
        return msgspec.convert(values, Config)
    except msgspec.ValidationError as found:
        raise error(*_explained(str(found))) from found


def _explained(message: str) -> tuple[str, str]:
    """Key and reason from msgspec's message, `Expected int, got str - at $.synthesis.samples` for instance."""
    reason, _, path = message.partition(" - at `$")
    path = path.strip("`.")
    if unknown := re.search(r"unknown field `(.+?)`", reason):
        key = ".".join(part for part in (path, unknown[1]) if part)
        known = known_keys(path)
        near = difflib.get_close_matches(unknown[1], known, 1)
        return key, "unknown key" + (f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(known)}")
    return path, reason[:1].lower() + reason[1:]


def known_keys(path: str) -> list[str]:
    """Field names of a section, or of the whole for an empty path."""
    kind: Any = Config
    for part in filter(None, path.split(".")):
        kind = next((type(field.default) for field in msgspec.structs.fields(kind) if field.name == part), Config)
    return [field.name for field in msgspec.structs.fields(kind)]


def line_of(text: str, key: str) -> int | None:
    """The line of `section.key` in a TOML text; None when it is not written out."""
    *sections, name = key.split(".")
    here = ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[([\w.]+)\]", line):
            here = header[1]
            if not sections and here == name:
                return number
        elif here == ".".join(sections) and re.match(rf"\s*{re.escape(name)}\s*=", line):
            return number
    return None


def preset_values(preset: str) -> dict[str, Any]:
    """The settings a preset changes. Raises BadInput."""
    if preset not in PRESETS:
        raise BadInput(f"no preset `{preset}`; known: {', '.join(PRESETS)}", key="--preset")
    file = resources.files("autoact.presets").joinpath(f"{preset}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def changed(changes: Mapping[str, str]) -> dict[str, Any]:
    """`section.key=value` pairs as nested settings; values are TOML, or plain text when they are not."""
    values: dict[str, Any] = {}
    for key, text in changes.items():
        section, dot, name = key.partition(".")
        if not dot:
            raise BadInput("expected section.key=value, as in synthesis.samples=8", key=key)
        try:
            value = toml_text.parse(f"value = {text}")["value"]
        except toml_text.TOMLDecodeError:
            value = text
        values.setdefault(section, {})[name] = value
    return values


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings with `above` winning."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result
