"""CodeInterpreter: runs a short Python program in the sandbox and returns its output, or its error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from autoact.english.sentences import shorten
from autoact.script import Observation
from autoact.tools.library.tool import Call, Check, Group, ToolContext, ToolLimits, ToolRecord
from autoact.tools.sandbox import layers
from autoact.tools.sandbox.bounds import MEGABYTE, Bounds
from autoact.tools.sandbox.program_result import ProgramResult
from autoact.tools.sandbox.sandbox import Sandbox

RECORD = ToolRecord(
    name="CodeInterpreter",
    definition="Runs a short Python program and shows what it prints and the value of its last line.",
    usage="CodeInterpreter[sum(range(10))]",
    powers=("code",),
    keeps_lines=True,
    limits=ToolLimits(timeout_s=10.0, max_chars=1_000),
    settings={"memory_mb": 1_000},
)

_FENCE = re.compile(r"\s*```(?:python|py)?[ \t]*\n?(.*?)\n?```\s*", re.DOTALL)
_STOPPED = ("time", "output", "resources", "killed")
_BEFORE = " Printed before: "
_ERROR_ROOM = 400
"""Characters reserved for the error, which is worth more than a long output before it."""


def describe_result(outcome: ProgramResult, room: int) -> Observation:
    """Describes a program's result for an agent, in at most `room` characters; the error is never cut off by the
    output."""
    text = f"The program was stopped: {outcome.error}." if outcome.end in _STOPPED else outcome.error
    error = "" if outcome.end == "finished" else shorten(text, min(_ERROR_ROOM, room))
    printed = shorten(outcome.stdout, max(room - len(error) - len(_BEFORE), 0)) if outcome.stdout else ""
    if error:
        return Observation(f"{error}{_BEFORE}{printed}" if printed else error, failed=True)
    files = ", ".join(f"{made.name} ({made.size:,} bytes)" for made in outcome.files)
    files_text = f"Wrote {files}." if files else ""
    return Observation(" ".join(filter(None, (printed, files_text))) or "The program ended and printed nothing.")


def extract_program(argument: str) -> str:
    """Returns the program, without the fence that models put around code."""
    fenced = _FENCE.fullmatch(argument)
    return fenced[1] if fenced else argument


def settle(context: ToolContext, record: ToolRecord) -> ToolRecord:
    """Returns the record, refused with the reason where this machine cannot confine a program."""
    reason = layers.find_layers().refusal()
    return msgspec.structs.replace(record, state="refused", reason=reason) if reason else record


def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """Opens the tool; every program runs in a new folder, and all sessions share one sandbox."""
    record = records[RECORD.name]
    seconds = record.limits.timeout_s
    bounds = Bounds(seconds=seconds, cpu_seconds=int(seconds) + 1, memory=record.settings["memory_mb"] * MEGABYTE)

    def call(argument: str) -> Observation:
        sandbox = context.shared.get("sandbox", Sandbox)
        return describe_result(sandbox.run(extract_program(argument), bounds), record.limits.max_chars)

    return {RECORD.name: call}


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Yields a sum, and a file that must stay out of reach."""
    yield Check(RECORD.name, "sum(range(10))", "45")
    yield Check(RECORD.name, "open('/etc/passwd').read()", "PermissionError|FileNotFoundError")


GROUP = Group((RECORD,), open_calls, settle, checks)
