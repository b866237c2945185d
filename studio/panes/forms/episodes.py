"""The dialogs of the trajectories pane, each of which ends when the run's job accepts a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autoact.run.control.command import Command
from autoact.run.record.answers import edited_text
from autoact.trajectory import Verdict
from studio.actions.run_command import new_command
from studio.episodes.document import Paragraph
from studio.panes.project_view import ProjectView
from studio.screens.form import Field, Form, Values

Note = Callable[[list[Command]], None]
"""Notes the commands that undo a change, once the job has accepted it."""
UNDONE = "undone; before by "


def edit_form(view: ProjectView, unit: str, answer: Paragraph, note: Note) -> Form:
    """Returns a form that replaces an answer."""

    async def accept(values: Values) -> str:
        command = new_command("edit", unit, answer.owner, edited_text(answer.part, values["text"]))
        return await view.send_typed([command], lambda: note(_restore_commands(unit, answer)))

    return Form(f"Edit answer {answer.owner} of {unit}", [_text(answer)], accept, "save")


def fork_form(view: ProjectView, unit: str, answer: Paragraph) -> Form:
    """Returns a form that forks a unit at an answer; with an unchanged text the model is asked again."""

    async def accept(values: Values) -> str:
        changed = "" if values["text"] == answer.text else edited_text(answer.part, values["text"])
        return await view.send_typed([new_command("fork", unit, answer.owner, changed)])

    title = f"Fork {unit} at answer {answer.owner}: change the text, or leave it to ask the model again"
    return Form(title, [_text(answer)], accept, "fork")


def judge_form(view: ProjectView, units: Sequence[str], note: Note, *, keep: bool) -> Form:
    """Returns a form that keeps trajectories for training or drops them, with a reason."""
    verb = "keep" if keep else "drop"

    async def accept(values: Values) -> str:
        before = {unit: view.follow.state.verdicts.get(unit) for unit in units}
        commands = [new_command("judge", unit, int(keep), values["why"]) for unit in units]
        return await view.send_typed(commands, lambda: note(_verdict_commands(before)))

    what = units[0] if len(units) == 1 else f"{len(units)} trajectories"
    return Form(f"{verb.capitalize()} {what}", [Field("why", "reason")], accept, verb)


def send_retry(view: ProjectView, units: Sequence[str], before: Paragraph | None, note: Note) -> None:
    """Asks units again from their start, or one from the answer `before`, whose text undoes that."""
    commands = [new_command("retry", unit, before.owner if before else 0) for unit in units]
    view.send_all(commands, lambda: note(_restore_commands(units[0], before) if before else []))


def _restore_commands(unit: str, answer: Paragraph) -> list[Command]:
    """Returns the command that gives an answer its text of before; later answers are then asked again."""
    return [new_command("edit", unit, answer.owner, answer.text)]


def _verdict_commands(before: Mapping[str, Verdict | None]) -> list[Command]:
    """Returns the commands that give trajectories their verdicts of before; none for one that had no verdict."""
    return [
        new_command("judge", unit, int(verdict.kept), _undone(verdict))
        for unit, verdict in before.items() if verdict is not None
    ]  # fmt: skip


def _undone(verdict: Verdict) -> str:
    """Returns the reason of a verdict that is given again; one that was given again before keeps its own."""
    return verdict.why if verdict.why.startswith(UNDONE) else f"{UNDONE}{verdict.by}: {verdict.why}".rstrip(": ")


def _text(answer: Paragraph) -> Field:
    return Field("text", answer.part, answer.text, lines=6)
