"""A tool's record: what the library knows of a tool, and what it takes to open one for an episode."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeVar

from msgspec import Struct, structs

from autoact import grants
from autoact.script import Observation
from autoact.tools.pages.corpus import Corpus
from autoact.trajectory import Question, Tool

T = TypeVar("T")
PYTHON_PARSER = threading.Lock()
"""Held by a call while it parses Python source: Python 3.11 counts the depth of the syntax trees of all threads
together, and raises SystemError when two threads make one at the same time."""

Kind = Literal["builtin", "python", "langchain", "mcp", "http"]
State = Literal[
    "ready", "offline", "needs-key", "needs-package", "needs-setting", "needs-network", "refused", "planned"
]
"""`offline` works with a stand-in for what it would ask over the network; `refused` is held back for safety's sake."""
Need = Literal["", "network", "key"]
Power = Literal["network", "code", "database", "files"]
"""What a call may do beyond reading the corpus: reach a network, run programs, query a database, open or keep files."""


class ToolLimits(Struct, frozen=True):
    """What one call may take and give."""

    timeout_s: float = 10.0
    """For tools that wait on something outside; the built-in ones are bounded by their own guards."""
    max_chars: int = 400
    """Of the observation, the ellipsis included."""


class ToolRecord(Struct, frozen=True, omit_defaults=True):
    """One tool of the library, ready or not."""

    name: str
    definition: str
    usage: str
    """An example call, as `Retrieve[Marie Curie]`."""
    aliases: tuple[str, ...] = ()
    kind: Kind = "builtin"
    state: State = "ready"
    reason: str = ""
    """Why it is not ready, with what would make it so; empty when it is."""
    powers: tuple[Power, ...] = ()
    """A person is asked about these before a foreign tool set is taken in."""
    after: tuple[str, ...] = ()
    """Tools of which one must be called before this one; where none of them runs, this one cannot either."""
    repeatable: bool = False
    """Whether equal calls give equal observations during a run, whatever came before; calls that run out of time
    excepted. Such a tool depends on nothing but the argument and on pages and files that no call changes."""
    keeps_lines: bool = False
    """Whether its argument is given as written; other tools get it on one line."""
    limits: ToolLimits = ToolLimits()
    settings: dict[str, Any] = {}
    """The settings of this tool alone, all of them, with their values or defaults."""
    schema: dict[str, Any] = {}
    """JSON schema of its parameters, for a tool that wants more than one text; its argument is read by it."""

    @property
    def runs(self) -> bool:
        """Whether an agent may call it now, be it on a stand-in."""
        return self.state in ("ready", "offline")

    def tool(self) -> Tool:
        """What an agent is told of it."""
        return Tool(self.name, self.definition, self.usage, self.aliases)


class SharedObjects:
    """Objects that all sessions of a library use, by key. Each is made once, by the first call that needs it."""

    def __init__(self) -> None:
        self._objects: dict[str, Any] = {}
        self._locks: dict[str, threading.Lock] = {}

    def get(self, key: str, make: Callable[[], T]) -> T:
        """Returns the object of this key. Threads that ask while it is made wait; where `make` raises, the next tries.

        Making one object delays nobody who asks for another.
        """
        with self._locks.setdefault(key, threading.Lock()):  # setdefault of a dict is atomic
            if key not in self._objects:
                self._objects[key] = make()
            found: T = self._objects[key]
        return found


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What tools are opened with."""

    corpus: Corpus
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings by tool name; what tools.toml says wins over them."""
    root: Path | None = None
    """The project's folder, where relative paths in settings begin; None without a project."""
    secret: Callable[[str], str | None] = os.environ.get
    """A key by the name of its environment variable; None when there is none. Never logged, exported or passed on."""
    hide: Callable[[str], str] = str
    """Takes every secret out of a text; as it stands, it leaves texts alone."""
    granted: Callable[[str, str], bool] = grants.allows
    """Whether the secret of a name may be sent to a URL."""
    withheld: bool = False
    """Whether the project came from elsewhere and is not trusted yet: then only tools without powers run."""
    shared: SharedObjects = field(default_factory=SharedObjects)
    """What the sessions of a library share, such as an open database."""
    closing: ExitStack = field(default_factory=ExitStack)
    """What ends with the library, such as processes that several episodes share."""
    data_pages: bool = False
    """Whether the corpus is the paragraphs of a data set. Retrieve and WebSearch then read them, whatever their
    setting `source` says: an evaluation over a data set's own pages needs no network."""
    captioned: bool = False
    """Whether the questions that are asked bring captions of their pictures."""
    question: Question | None = None
    """What the episode of a session answers; None outside episodes."""

    def secret_for(self, name: str, url: str) -> str | None:
        """Returns a key that will be sent to a URL; None when there is none, or it may not be sent there."""
        return self.secret(name) if self.granted(name, url) else None


Call = Callable[[str], Observation]
"""One call of an opened tool with its argument. It may raise; the session turns that into an observation.

Sessions are called by several threads at once, each session by one of them: what sessions share must be safe for
that, and what one session remembers need not be."""


class Check(Struct, frozen=True):
    """A call that shows whether a tool works on this machine."""

    tool: str
    argument: str
    expects: str
    """A regular expression that the observation's text must match somewhere."""
    needs: Need = ""
    """What the call takes beyond this machine; such checks are told of and left out unless a person asks for them."""


def keep_state(context: ToolContext, record: ToolRecord) -> ToolRecord:
    """The record with its state as written."""
    return record


def no_checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """No checks."""
    return ()


@dataclass(frozen=True, slots=True)
class Group:
    """Tools that share their state within an episode."""

    records: tuple[ToolRecord, ...]
    open: Callable[[ToolContext, Mapping[str, ToolRecord]], dict[str, Call]]
    """Opens the group for one episode, with the records as configured: calls by tool name. Every episode opens every
    group, so what takes time waits for the first call."""
    settle: Callable[[ToolContext, ToolRecord], ToolRecord] = keep_state
    """The record, as configured, with the state and reason it has here. Runs once for a library; it may look for
    packages, keys and files, but opens no connection and imports nothing heavy."""
    checks: Callable[[ToolContext, Mapping[str, ToolRecord]], Iterable[Check]] = no_checks
    """Calls for `autoact tools test`, made in one session in this order."""
    remembers: bool = False
    """Whether a call depends on earlier ones of its episode. When a job goes on where another stopped, the calls of
    such a group are made again, unseen: they may not change anything outside. Those of all others are made once."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A kind of tool that a person brings: an entry of tools.toml with `kind` set, and settings of the kind's own."""

    settings: Mapping[str, Any]
    """Every setting of such an entry with its default, whose type is the setting's type."""
    powers: tuple[Power, ...]
    group: Callable[[ToolContext, ToolRecord], Group]
    """The tools that one entry brings; they take its place in the library. Trouble is told in their state."""


def require_package(record: ToolRecord, module: str, extra: str) -> ToolRecord:
    """The record, as one that needs a package when `module` is not installed; `extra` is the one that brings it."""
    if find_spec(module) is not None:
        return record
    reason = f"needs a package: pip install 'autoact-studio[{extra}]'"
    return structs.replace(record, state="needs-package", reason=reason)


def with_state(record: ToolRecord, state: State, reason: str) -> ToolRecord:
    """The record in a state in which it cannot run, and what would make it so that it can."""
    return structs.replace(record, state=state, reason=reason)
