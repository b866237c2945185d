"""The dialogs of the task pane: the task, an example, examples from a text or a file, and self-instruct."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autoact.project.config import Task
from studio.actions import cli_command
from studio.files import examples_jsonl
from studio.files.examples_jsonl import ExampleLine
from studio.screens.form import Accept, Field, Form, Values

ANSWERS = ("short", "choice")
Save = Callable[[Values], str]
"""Saves the values; returns an error text if they are refused, else an empty string."""
NEW = ExampleLine("", {})


def _accept(save: Save) -> Accept:
    async def accept(values: Values) -> str:
        return save(values)

    return accept


def task_form(task: Task, save: Save) -> Form:
    """Returns a form of the task's name, description and form of answers."""
    fields = (
        Field("name", "name", task.name),
        Field("description", "description, part of every prompt", task.description, 4),
        Field("answer", "answers: short text, or the letter of an option", task.answer, 1, ANSWERS),
    )
    return Form("Task", fields, _accept(save))


def example_form(title: str, save: Save, row: ExampleLine = NEW, verb: str = "add") -> Form:
    """Returns a form of an example, or of the whole line where the line is invalid."""
    if row.error:
        return Form(title, (Field("line", row.error, row.line, 6),), _accept(save), verb)
    kind = str(row.data.get("type") or "")
    fields = (
        Field("question", "question", row.question, 5 if "\n" in row.question else 1),
        Field("answer", "answer", row.answer),
        Field("type", "type, such as two-hop or yes-no (optional)", kind),
        Field(
            "steps", "worked steps: Thought: ..., Action: Tool[argument] (optional)", examples_jsonl.steps_text(row), 8
        ),
    )
    return Form(title, fields, _accept(save), verb)


def paste_form(text: str, save: Save) -> Form:
    """Returns a form of examples as text."""
    label = "JSON, JSON lines, CSV, or columns separated by tabs: question, answer"
    return Form("Paste examples", (Field("text", label, text, 12),), _accept(save), "add")


def import_form(save: Save) -> Form:
    """Returns a form that asks for a file of examples."""
    field = Field("file", "a .json, .jsonl, .csv or .tsv file")
    return Form("Import examples", (field,), _accept(save), "import")


def self_instruct_form(project: Path, started: Callable[[str], None]) -> Form:
    """Returns a form that starts a run of self-instruct alone; `started` gets the run's name."""

    async def accept(values: Values) -> str:
        target = values["target"].strip()
        if not target.isdecimal() or not int(target):
            return f"questions to write: expected a number above 0, not `{target}`"
        options = ("--only", "self_instruct", "--set", f"self_instruct.target={target}", "--new", "--detach")
        result = await cli_command.autoact("run", str(project), options=options)
        if not result.code:
            started(result.output.strip())
        return result.reason if result.code else ""

    field = Field("target", "questions to write", "20", suggested=True)
    return Form("Self-instruct: the meta-agent writes questions", (field,), accept, "start")
