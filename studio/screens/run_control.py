"""Starts, resumes, cancels and deletes runs by `autoact` commands, for every pane of the project screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from autoact.errors import AutoActError
from autoact.registry.stages import pipeline
from studio.actions import cli_command
from studio.actions.run_command import new_command
from studio.files.file_undo import FileUndo
from studio.panes.project_view import ProjectView
from studio.runs.method_path import missing_stage
from studio.runs.run_list import RunLine

if TYPE_CHECKING:
    from studio.files.settings_draft import SettingsDraft

MOST_BASES = 30
"""The most runs to choose a base from, the newest ones."""
Verb = Literal["resume", "cancel", "delete", "trust"]
TEXTS: dict[Verb, tuple[str, str]] = {
    "resume": ("resuming", "resumed"), "cancel": ("cancelling", "cancelled"), "delete": ("deleting", "deleted"),
    "trust": ("trusting", "trusted"),
}  # fmt: skip
"""Texts for a command: while it runs, and when it is done."""


class RunControl:
    """Commands on the runs of one project. Their results are shown as notices."""

    def __init__(self, view: ProjectView):
        self._view = view
        self._undo = FileUndo(view.project / "project.toml")
        """The changes that the forms of settings saved."""

    def obstacle(self, run: RunLine | None) -> str:
        """Returns the reason why R neither resumes this run nor starts another; empty if it does one of them."""
        if run is not None and run.alive and run.verdict != "paused":
            return f"{run.folder.name} is {run.verdict}; n in the runs pane starts another."
        return ""

    def can_resume(self, run: RunLine | None) -> bool:
        """True if `start_or_resume` goes on with this run, False if it asks for the settings of a new one."""
        return run is not None and (run.foreign or run.verdict not in ("finished", "unreadable"))

    def start_or_resume(self, run: RunLine | None) -> None:
        """Resumes a paused or a stopped run, asks whether to trust a foreign one, else opens the form of a new run."""
        if (reason := self.obstacle(run)) or run is None or not self.can_resume(run):
            self._view.notice(reason) if reason else self.open_form(run)
        elif run.alive:
            if run.folder != self._view.follow.folder:
                self._view.follow_run(run.folder.name)
            self._view.send(new_command("resume"))
        elif run.foreign:
            self._ask_for_trust(run)
        else:
            self.command("resume", run, "--detach")

    def _ask_for_trust(self, run: RunLine) -> None:
        """Asks before a run from elsewhere is resumed, as its settings, data and adapters would be used."""
        from autoact.security import trust
        from studio.screens.confirm import Confirm  # slow to import, as the form

        rules = trust.RULES["run"]["chosen"].details, trust.RULES["run"]["run"].details
        reason = f"{run.folder.name} came from elsewhere. Until you trust it, it is {rules[0]}, and {rules[1]}."
        self._view.app.push_screen(
            Confirm("Trust this run?", reason), lambda yes: self.command("trust", run, "--yes") if yes else None
        )

    def command(self, verb: Verb, run: RunLine, *options: str) -> None:
        """Runs `autoact VERB RUN` and shows its result."""
        self._view.notice(f"{TEXTS[verb][0]} {run.folder.name} ...")
        self._view.run_worker(self._wait_for(verb, run, options))

    async def _wait_for(self, verb: Verb, run: RunLine, options: tuple[str, ...]) -> None:
        result = await cli_command.autoact(verb, str(run.folder.path), options=options)
        self._view.notice(f"{verb}: {result.reason}" if result.code else f"{TEXTS[verb][1]} {run.folder.name}")
        self._view.reread_runs()

    # -- settings --------------------------------------------------------------------------------------------------

    def open_form(self, base: RunLine | None = None) -> None:
        """Opens the form of a new run; after a base that ended before the training, it begins with the next stage."""
        from studio.files.settings_draft import SettingsDraft
        from studio.screens.settings import FormTexts, SettingsForm

        first, follow = "", self._view.follow
        if base is not None and base.folder == follow.folder and base.verdict == "finished":
            first = missing_stage(follow.state)
        finished = [run.folder.name for run in follow.run_list.runs if run.verdict == "finished" and not run.foreign]
        name = base.folder.name if base is not None and first not in ("", pipeline()[0]) else ""
        draft = SettingsDraft(self._view.project, self._undo, bases=finished[:MOST_BASES], first=first, base=name)
        self._view.app.push_screen(SettingsForm(draft, FormTexts("New run", "start"), self._start))

    async def _start(self, draft: SettingsDraft) -> str:
        try:
            options = draft.options()
        except AutoActError as error:  # the boundary of a command: shown, not raised
            return str(error)
        result = await cli_command.autoact("run", str(self._view.project), options=options)
        if result.code:
            return result.reason
        self._view.follow_run("")
        return ""

    def open_settings(self, wanted: str = "") -> None:
        """Opens the form of the project's settings, at first only with those that have this text."""
        from studio.files.settings_draft import SettingsDraft
        from studio.screens.settings import FormTexts, SettingsForm

        texts = FormTexts("Settings of the project; a preset overrides them", "save")
        self._view.app.push_screen(
            SettingsForm(SettingsDraft(self._view.project, self._undo), texts, self._save, wanted)
        )

    async def _save(self, draft: SettingsDraft) -> str:
        try:
            draft.save()
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            return str(error)
        self._view.notice("Saved in project.toml, for the next run; u in its form (S) undoes it.")
        return ""
