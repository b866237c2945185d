"""The tool library of a project, and the sessions in which episodes call its tools."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from autoact.english.sentences import shorten
from autoact.errors import BadProject
from autoact.script import Observation
from autoact.tools.library.catalogue import BRIDGES, GROUPS
from autoact.tools.library.deadline import OVERTIME, run_within
from autoact.tools.library.tool import Check, Group, ToolContext, ToolLimits, ToolRecord, with_state
from autoact.tools.library.tools_toml import EntryLocation, apply_settings, index_names, read_enabled_tools, tool_key
from autoact.trajectory import Question, Tool


class Library:
    """The tools that a project enables, in its order."""

    def __init__(self, records: Sequence[ToolRecord], context: ToolContext, groups: Sequence[Group] = GROUPS) -> None:
        self._records = tuple(records)
        self._names = index_names(self._records)
        self._context = context
        self._groups = groups

    @classmethod
    def load(cls, tools_toml: Path | None, context: ToolContext, groups: Sequence[Group] = GROUPS) -> Library:
        """Returns a library of the tools that `tools_toml` lists and enables; of every known tool without such a file.

        Raises BadProject with file and key for an unknown tool, an unknown key, or a setting of the wrong type.
        """
        known = [record for group in groups for record in group.records]
        names = [record.name for record in known]
        for name in context.settings:
            if name not in names:
                raise BadProject(f"unknown tool `{name}`; known: {', '.join(names)}", key=f"settings.{name}")
        known = [
            apply_settings(record, context.settings.get(record.name, {}), EntryLocation(None, record.name))
            for record in known
        ]
        chosen = known if tools_toml is None else read_enabled_tools(tools_toml, known, BRIDGES)
        brought = {one.name: BRIDGES[one.kind].group(context, one) for one in chosen if one.kind in BRIDGES}
        groups = [*groups, *brought.values()]
        settle = {record.name: group.settle for group in groups for record in group.records}
        records = [each for one in chosen for each in (brought[one.name].records if one.name in brought else [one])]
        settled = [settle[record.name](context, record) for record in records]
        if context.withheld:
            settled = [_withhold(record) for record in settled]
        settled = _require_earlier_tools(settled)
        hidden = [msgspec.structs.replace(record, reason=context.hide(record.reason)) for record in settled]
        return cls(hidden, context, groups)

    def records(self) -> tuple[ToolRecord, ...]:
        """Returns the records of all tools, ready or not."""
        return self._records

    def ready(self) -> list[Tool]:
        """Returns the tools an agent may call now, as prompts describe them."""
        return [record.tool() for record in self._records if record.runs]

    def resolve(self, name: str) -> ToolRecord | None:
        """Returns the tool of any of these names; case, spaces, underscores and hyphens do not count. None for an
        unknown one."""
        return self._names.get(tool_key(name))

    def session(self, question: Question | None = None) -> ToolSession:
        """Returns a new session for one episode, which answers `question`."""
        return ToolSession(self, self._context, self._groups, question)

    def groups(self) -> tuple[Group, ...]:
        """Returns the groups of tools that share state."""
        return tuple(self._groups)

    def checks(self, group: Group) -> list[Check]:
        """Returns the checks of a group for the tools of this library, in the order in which one session must make
        them."""
        return [check for check in group.checks(self._context, self.by_name()) if self.resolve(check.tool)]

    def by_name(self) -> dict[str, ToolRecord]:
        """Returns the record of every tool of the groups, with the project's settings where it has some."""
        return {record.name: self.resolve(record.name) or record for group in self._groups for record in group.records}

    def close(self) -> None:
        """Ends the processes of the tools. Safe to call again."""
        self._context.closing.close()


def _require_earlier_tools(records: Sequence[ToolRecord]) -> list[ToolRecord]:
    """Returns the records; a tool that must be called after others is not ready when none of those runs."""
    running = {record.name for record in records if record.runs}
    return [
        with_state(
            record, "needs-setting", f"it works on the pages of {' or '.join(record.after)}, and none of them runs"
        )
        if record.after and record.runs and not running & set(record.after)
        else record
        for record in records
    ]


def _withhold(record: ToolRecord) -> ToolRecord:
    """Returns the record of a tool in a project that is not trusted: one with powers may not run."""
    if not record.powers or not record.runs:
        return record
    return with_state(record, "refused", "its project came from elsewhere; look at it, then `autoact trust PROJECT`")


class ToolSession:
    """The tools as one episode uses them, with their state between its calls.

    Several threads may call the sessions of a library at once, one thread each session.
    """

    def __init__(
        self, library: Library, context: ToolContext, groups: Sequence[Group], question: Question | None
    ) -> None:
        """Opens the tools. `question` is the one the episode answers: some tools use more of it than its text, such
        as its picture."""
        context = replace(context, question=question)
        self._library = library
        self._hide = context.hide
        # All tools of a group are opened, so that Lookup works when a project disabled WebSearch.
        records = library.by_name()
        self._stateful = {record.name for group in groups if group.remembers for record in group.records}
        self._calls = {name: call for group in groups for name, call in group.open(context, records).items()}

    def call(self, name: str, argument: str) -> Observation:
        """Calls a tool and returns its observation, on one line and shortened to the tool's limit. Never raises."""
        began = time.perf_counter()
        record = self._library.resolve(name)
        given = argument.strip() if record and record.keeps_lines else " ".join(argument.split())
        seen = self._observe(record, name, self._hide(given))
        limit = (record.limits if record else ToolLimits()).max_chars
        # An observation is logged as JSON, which has no lone surrogates.
        text = shorten(self._hide(seen.text), limit).encode("utf-8", "replace").decode()
        return msgspec.structs.replace(seen, text=text, ms=(time.perf_counter() - began) * 1000)

    def repeatable(self, name: str) -> bool:
        """Returns whether equal calls of this tool give equal observations during a run, whatever came before.

        Such an observation may be reused in another session, which then has to `recall` the call.
        """
        record = self._library.resolve(name)
        return record is not None and record.runs and record.repeatable

    def recall(self, name: str, argument: str) -> None:
        """Repeats a call that was made in an earlier session, if the tool's later calls depend on it."""
        record = self._library.resolve(name)
        if record is not None and record.name in self._stateful:
            self.call(name, argument)

    def _observe(self, record: ToolRecord | None, name: str, argument: str) -> Observation:
        if record is None:  # the card names the tools of this agent, which are not all that are ready
            return Observation(f'Invalid action: no tool is named "{" ".join(name.split())}".', failed=True)
        if not record.runs:
            return Observation(f"{record.name} is not ready: {record.reason}.", failed=True)
        if not argument:
            return Observation(f"{record.name} needs an argument, as in {record.usage}", failed=True)
        try:
            return run_within(OVERTIME * record.limits.timeout_s, partial(self._calls[record.name], argument))
        # Boundary of a unit: whatever a tool raises becomes a failed observation.
        except Exception as error:
            return Observation(f"{record.name} failed: {str(error) or type(error).__name__}", failed=True)


__all__ = ["Library", "ToolContext", "ToolRecord", "ToolSession"]
