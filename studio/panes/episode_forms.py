"""The dialogs of the trajectories pane, each of which ends with a command to the run's job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autoact.run.control.command import Command
from autoact.trajectory import Verdict
from studio.actions.run_command import new_command
from studio.episodes.document import Paragraph
from studio.panes.project_view import ProjectView
from studio.screens.form import Field, Form, Values


def edit_form(view: ProjectView, unit: str, answer: Paragraph) -> Form:
    """Returns a form that replaces an answer."""

    async def accept(values: Values) -> str:
        view.send(new_command("edit", unit, answer.owner, values["text"]))
        return ""

    return Form(f"Edit answer {answer.owner} of {unit}", [_text(answer)], accept, "save")


def fork_form(view: ProjectView, unit: str, answer: Paragraph) -> Form:
    """Returns a form that forks a unit at an answer; with an unchanged text the model is asked again."""

    async def accept(values: Values) -> str:
        changed = "" if values["text"] == answer.text else values["text"]
        view.send(new_command("fork", unit, answer.owner, changed), start=True)
        return ""

    title = f"Fork {unit} at answer {answer.owner}: change the text, or leave it to ask the model again"
    return Form(title, [_text(answer)], accept, "fork")


def judge_form(
    view: ProjectView, units: Sequence[str], note: Callable[[dict[str, Verdict | None]], None], *, keep: bool
) -> Form:
    """Returns a form that keeps trajectories for training or drops them, with a reason.

    Calls `note` with their verdicts of before once the job has accepted the new ones.
    """
    verb = "keep" if keep else "drop"

    async def accept(values: Values) -> str:
        before = {unit: view.follow.state.verdicts.get(unit) for unit in units}
        commands = [new_command("judge", unit, int(keep), values["why"]) for unit in units]
        view.send_all(commands, lambda: note(before))
        return ""

    what = units[0] if len(units) == 1 else f"{len(units)} trajectories"
    return Form(f"{verb.capitalize()} {what}", [Field("why", "reason")], accept, verb)


def undo_commands(before: Mapping[str, Verdict | None]) -> list[Command]:
    """Returns the commands that give trajectories their verdicts of before; none for one that had no verdict."""
    return [
        new_command("judge", unit, int(verdict.kept), f"undone; before by {verdict.by}: {verdict.why}".rstrip(": "))
        for unit, verdict in before.items() if verdict is not None
    ]  # fmt: skip


def _text(answer: Paragraph) -> Field:
    return Field("text", answer.part, answer.text, lines=6)
