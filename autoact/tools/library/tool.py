"""The interface of a tool: its record in the library, its group, and the context in which sessions open it."""

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

from autoact.script import Observation
from autoact.security import grants
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
"""`offline` works with local data instead of the network; `refused` is not allowed to run, for safety's sake."""
Need = Literal["", "network", "key"]
Power = Literal["network", "code", "database", "files"]
"""A thing that a call may do beyond reading the corpus: reach a network, run programs, query a database, open or
write files."""


class ToolLimits(Struct, frozen=True):
    """Limits of one call."""

    timeout_s: float = 10.0
    """Seconds for tools that wait for something outside; the others limit their work themselves."""
    max_chars: int = 400
    """Characters of the observation, the ellipsis included."""


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
    """The reason why it is not ready, with what a person can do; empty when it is."""
    powers: tuple[Power, ...] = ()
    """A person is asked about these before a foreign tool set may run."""
    after: tuple[str, ...] = ()
    """Tools of which one must be called before this one; when none of them runs, this one cannot either."""
    repeatable: bool = False
    """Whether equal calls give equal observations during a run, whatever came before; calls that ran out of time
    excepted. Such a tool depends only on the argument, and on pages and files that no call changes."""
    keeps_lines: bool = False
    """Whether the line breaks of its argument are kept; other tools get the argument on one line."""
    limits: ToolLimits = ToolLimits()
    settings: dict[str, Any] = {}
    """All settings of this tool, with their values or defaults."""
    schema: dict[str, Any] = {}
    """JSON schema of the parameters of a tool that takes more than one text; its argument is parsed by it."""

    @property
    def runs(self) -> bool:
        """Returns whether an agent may call it now, also on local data instead of the network."""
        return self.state in ("ready", "offline")

    def tool(self) -> Tool:
        """Returns the description of the tool for prompts."""
        return Tool(self.name, self.definition, self.usage, self.aliases)


class SharedObjects:
    """Objects that all sessions of a library use, by key. Each is made once, by the first call that needs it."""

    def __init__(self) -> None:
        self._objects: dict[str, Any] = {}
        self._locks: dict[str, threading.Lock] = {}

    def get(self, key: str, make: Callable[[], T]) -> T:
        """Returns the object of a key. Threads that ask while it is made wait; when `make` raises, the next one tries
        again.

        Making one object does not delay a call that needs another.
        """
        with self._locks.setdefault(key, threading.Lock()):  # setdefault of a dict is atomic
            if key not in self._objects:
                self._objects[key] = make()
            found: T = self._objects[key]
        return found


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The things that tools need to open: corpus, settings, secrets, and the objects that sessions share."""

    corpus: Corpus
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings by tool name; those of tools.toml override them."""
    root: Path | None = None
    """The project's folder, to which paths in settings are relative; None without a project."""
    secret: Callable[[str], str | None] = os.environ.get
    """Returns a key by the name of its environment variable; None when there is none. Never logged or exported."""
    hide: Callable[[str], str] = str
    """Replaces every secret in a text; the default leaves texts as they are."""
    granted: Callable[[str, str], bool] = grants.allows
    """Returns whether the secret of a name may be sent to a URL."""
    withheld: bool = False
    """Whether the project came from elsewhere and is not trusted yet: then only tools without powers run."""
    shared: SharedObjects = field(default_factory=SharedObjects)
    """The objects that sessions share, such as an open database."""
    closing: ExitStack = field(default_factory=ExitStack)
    """Ends with the library: processes and temporary files that sessions share."""
    data_pages: bool = False
    """Whether the corpus is the paragraphs of a data set. Retrieve and WebSearch then read them, whatever their
    setting `source` says: an evaluation over a data set's own pages needs no network."""
    captioned: bool = False
    """Whether the questions come with captions of their pictures."""
    question: Question | None = None
    """The question that a session's episode answers; None outside episodes."""

    def secret_for(self, name: str, url: str) -> str | None:
        """Returns a key that will be sent to a URL; None when there is none, or it may not be sent there."""
        return self.secret(name) if self.granted(name, url) else None


Call = Callable[[str], Observation]
"""One call of an open tool with its argument. It may raise; the session turns that into an observation.

Sessions are called by several threads at once, each session by one of them: objects that sessions share must be safe
for that, the state of one session need not be.
"""


class Check(Struct, frozen=True):
    """A call that shows whether a tool works on this machine."""

    tool: str
    argument: str
    expects: str
    """A regular expression that must match somewhere in the observation."""
    needs: Need = ""
    """The network or key that the call needs; such checks are made only when a person asks for them."""


def keep_state(context: ToolContext, record: ToolRecord) -> ToolRecord:
    """Returns the record unchanged."""
    return record


def no_checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Returns no checks."""
    return ()


@dataclass(frozen=True, slots=True)
class Group:
    """Tools that share their state within an episode."""

    records: tuple[ToolRecord, ...]
    open: Callable[[ToolContext, Mapping[str, ToolRecord]], dict[str, Call]]
    """Opens the group for one episode, with the records as configured, and returns a call for each tool. Every
    episode opens every group, so anything slow waits for the first call."""
    settle: Callable[[ToolContext, ToolRecord], ToolRecord] = keep_state
    """Returns the record, as configured, with the state and reason it has on this machine. Runs once for a library;
    it may look for packages, keys and files, but opens no connection and imports nothing heavy."""
    checks: Callable[[ToolContext, Mapping[str, ToolRecord]], Iterable[Check]] = no_checks
    """Returns the calls for `autoact tools test`, made in one session in this order."""
    remembers: bool = False
    """Whether a call depends on earlier ones of its episode. When a job goes on after a restart, the calls of such a
    group are repeated unseen, so they may not change anything outside. Those of other groups are made once."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A kind of tool that people bring: an entry of tools.toml with `kind`, and the settings of that kind."""

    settings: Mapping[str, Any]
    """Every setting of such an entry with its default; the default's type is the setting's type."""
    powers: tuple[Power, ...]
    group: Callable[[ToolContext, ToolRecord], Group]
    """Makes the tools of one entry, which replace the entry in the library. Failures go into their state."""


def require_package(record: ToolRecord, module: str, extra: str) -> ToolRecord:
    """Returns the record, in the state `needs-package` when `module` is not installed; the extra `extra` installs
    it."""
    if find_spec(module) is not None:
        return record
    reason = f"needs a package: pip install 'autoact-studio[{extra}]'"
    return structs.replace(record, state="needs-package", reason=reason)


def with_state(record: ToolRecord, state: State, reason: str) -> ToolRecord:
    """Returns the record in a state in which it cannot run, with the reason and what a person can do."""
    return structs.replace(record, state=state, reason=reason)
