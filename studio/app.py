"""The studio's Textual app: screens, themes, keys and the clipboard."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App
from textual.driver import Driver
from textual.events import Event, Key, Paste
from textual.theme import BUILTIN_THEMES

from autoact.errors import AutoActError, BadInput
from autoact.project.recent import remember_project
from autoact.run.process.notification import NotifySettings, make_notification, read_settings
from autoact.security import trust
from studio.actions import action_table, cli_command, keymap, remote_machine
from studio.files.view_memory import ViewMemory, read_memory, save_left
from studio.runs.run_news import RunNews
from studio.target import Target
from studio.terminal import alert, clipboard, glyphs, theme, untrusted_text, user_files
from studio.terminal.clipboard import Copied
from studio.terminal.typeahead import TypeAhead

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.screen import Screen

    from studio.screens.project import ProjectScreen
    from studio.screens.projects import ProjectsScreen

PRESS_AGAIN_S = 2.0
"""Seconds within which ctrl+c must be pressed twice to leave."""
THEMES_S = 1.5
"""Seconds between two readings of the person's own theme files."""
NEWS_S = 2.0
"""Seconds between two looks for news of runs, while the person looks elsewhere."""


def _actions() -> type[Provider]:
    from studio.actions.command_palette import (
        ActionProvider,  # slow to import, and rarely used
    )

    return ActionProvider


def _projects(folder: Path) -> Screen[None]:
    from studio.screens.projects import ProjectsScreen

    return ProjectsScreen(folder)


class StudioApp(App[str]):
    """Returns a line to print at the end, or None. A screen's module is imported when the screen is first shown."""

    TITLE = "AutoAct Studio"
    CSS_PATH = "screens/project.tcss"  # read here: a screen that reads its own has every style sheet parsed again
    COMMANDS = {_actions}
    BINDINGS = action_table.bindings("everywhere")

    def __init__(self, target: Target):
        # Textual decides only here whether to use the terminal's own colours, which NO_COLOR needs.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") is not None else None)
        self.target = target
        self.glyphs = glyphs.terminal_glyphs()
        self.actions: tuple[action_table.Action, ...] = action_table.ACTIONS
        self.errors: list[str] = []
        """Errors in the person's own files, shown once there is a screen."""
        self._declined: set[Path] = set()
        """Projects for which the person declined to trust them."""
        self._notices = NotifySettings()
        self._news: RunNews | None = None
        """The news of the runs since the person looked away; None while nothing is to be told."""
        self._focus_reported = False
        """Whether the terminal has reported whether it is in focus."""
        self._typeahead = TypeAhead(self, self._forward, self._update_footer)
        self._use_keymap()
        self._use_notices()
        self.themes = theme.Themes(user_files.folder() / "themes")
        if os.environ.get("SSH_CONNECTION"):
            self.animation_level = "none"
        self._interrupted = -PRESS_AGAIN_S
        self._offer_themes()
        self.theme = self._first_theme()

    def _first_theme(self) -> str:
        """Returns the last theme if the terminal has the colours for it."""
        if self.no_color and "ansi-dark" in BUILTIN_THEMES:  # Textual turns the colours of other themes into greys
            return "ansi-dark"
        if self.console.color_system == "standard":  # with sixteen colours, those of other themes look alike
            return theme.SIXTEEN
        last = user_files.read_theme()
        return last if last in self.available_themes else theme.DEFAULT

    def get_driver_class(self) -> type[Driver]:
        """Returns the studio's driver on a Linux or macOS terminal, unless AUTOACT_DRIVER is `stock`."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver" or os.environ.get("AUTOACT_DRIVER") == "stock":
            return usual
        from studio.terminal.driver import StudioDriver

        return StudioDriver

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.defaults()

    def on_mount(self) -> None:
        self.call_later(self._open_first)  # once the app runs, so that the screen is drawn once
        self.reload_themes()
        self.set_interval(THEMES_S, self.reload_themes)
        self.set_interval(NEWS_S, self.look_for_news)

    async def on_event(self, event: Event) -> None:
        """Forwards keys and pasted text one at a time, and makes pasted text safe."""
        if isinstance(event, Paste) and not event.is_forwarded:
            event.text = untrusted_text.clean_paste(event.text)
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self._typeahead.take(event)
        else:
            await super().on_event(event)

    async def _forward(self, event: Key | Paste) -> None:
        """Forwards a key or pasted text to the focused widget; a field of one line gets pasted lines joined."""
        if isinstance(event, Paste):
            from textual.widgets import Input  # slow to import

            if isinstance(self.focused, Input):
                event.text = " ".join(line.strip() for line in event.text.split("\n") if line.strip())
        await super().on_event(event)

    def _update_footer(self) -> None:
        """Updates the footer after a key."""
        update = getattr(self.screen, "update_footer", None)
        if callable(update):
            update()

    def reload_themes(self) -> None:
        """Applies changed theme files of the person, and shows the errors in the person's files."""
        if self.themes.reload():
            self._offer_themes()
            self.refresh_css(animate=False)
        for error in [*self.errors, *self.themes.errors][:2]:
            self.notify(untrusted_text.line(error), severity="warning", markup=False)
        self.errors.clear()
        self.themes.errors.clear()

    def _use_keymap(self) -> None:
        """Reads the person's own keys; an invalid file is ignored and its error shown."""
        try:
            self.actions = keymap.read(user_files.folder() / "keys.toml")
        except BadInput as error:
            self.errors.append(str(error))
        self.set_keymap(keymap.overrides(self.actions))

    def _use_notices(self) -> None:
        """Reads how the person wants to be told of runs; of an invalid file the error is shown."""
        try:
            self._notices = read_settings()
        except BadInput as error:
            self.errors.append(str(error))

    def on_unmount(self) -> None:
        """Ends what waits for another machine: Textual waits for its threads."""
        if machine := remote_machine.current():
            machine.abandon()

    def on_app_focus(self) -> None:
        self._focus_reported = True

    def on_app_blur(self) -> None:
        self._focus_reported = True
        self.look_for_news()  # what is so now is no news later

    def look_for_news(self) -> None:
        """Looks in a thread for runs that ended, wait or stand still, unless the person sees them or wants no news."""
        machine = remote_machine.current()
        if (machine and machine.lost) or not alert.is_alert_wanted(
            self._notices.terminal, focused=self.app_focus, reported=self._focus_reported, environment=os.environ
        ):
            self._news = None
        elif not any(worker.is_running for worker in self.workers if worker.group == "news"):
            news = self._news = self._news or RunNews()
            roots = dict.fromkeys(root for screen in self.screen_stack for root in getattr(screen, "roots", ()))
            self.run_worker(lambda: self._find_news(news, list(roots)), thread=True, group="news")

    def _find_news(self, news: RunNews, roots: Sequence[Path]) -> None:
        try:
            found = [one for one in news.look(roots) if one[1] in self._notices.occasions]
            told = [make_notification(run, occasion, details=self._notices.details) for run, occasion in found]
        except (AutoActError, OSError):  # boundary: of a run that was deleted meanwhile nothing is told
            return
        for one in told:
            self.call_from_thread(self._alert, one.text)

    def _alert(self, text: str) -> None:
        if self._driver is not None:
            self._driver.write(alert.alert_sequence(text, self._notices.terminal.sequence, os.environ))
            self._driver.flush()

    def _offer_themes(self) -> None:
        for palette in self.themes.palettes:
            self.register_theme(palette.theme())

    def first_screen(self) -> Screen[None]:
        """Returns the screen of the project named on the command line, else the list of projects."""
        if self.target.project is None:
            return _projects(self.target.folder)
        return self._project(self.target.project, self.target.run)

    async def _open_first(self) -> None:
        await self.push_screen(self.first_screen())
        if self.target.project is not None:
            self.ask_for_trust(self.target.project)
        elif self.target.resume and (last := self._memory().last) and (Path(last) / "project.toml").is_file():
            self._open(Path(last))

    def on_projects_screen_opened(self, message: ProjectsScreen.Opened) -> None:
        self._open(message.root)

    def _open(self, root: Path) -> None:
        self.push_screen(self._project(root))
        self.ask_for_trust(root)

    def _project(self, root: Path, run: str = "") -> Screen[None]:
        """Returns the screen of a project, as it was left, and puts the project first among the recent ones."""
        from studio.screens.project import ProjectScreen

        if remote_machine.current() is None and (problem := remember_project(root)):
            self.errors.append(problem)
        return ProjectScreen(root, run, "Trajectories" if run else "", self._memory().projects.get(str(root)))

    def _memory(self) -> ViewMemory:
        memory, problem = read_memory()
        if problem:
            self.errors.append(problem)
        return memory

    def ask_for_trust(self, root: Path) -> None:
        """Asks whether to trust a project that is not trusted yet; after a no, it is not asked again."""
        if remote_machine.is_trusted(root) or root in self._declined:
            return
        from studio.screens.confirm import Confirm

        rules = trust.RULES["project"]["run"].details, trust.RULES["project"]["sent"].details
        reasons = (
            f"`{root.name}` came from elsewhere, was copied, or was made by an earlier version.",
            f"It can be looked at. Until you trust it, {rules[0]} of it runs, and {rules[1]} leaves this machine.",
        )

        def on_answer(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._trust(root))
            else:
                self._declined.add(root)
                self._notice(f"Not trusted. `autoact trust {shlex.quote(str(root))}` lets it run.")

        self.push_screen(Confirm("Trust this project, and its runs that came with it?", *reasons), on_answer)

    async def _trust(self, root: Path) -> None:
        result = await cli_command.autoact("trust", str(root), options=("--yes",))
        if result.code:
            self._notice(f"It could not be trusted: {result.reason}")
        elif callable(reread := getattr(self.screen, "reread_runs", None)):
            reread()

    def on_project_screen_left(self, message: ProjectScreen.Left) -> None:
        """Goes back to the screen below, else to the list; the lowest screen is Textual's own, which is blank.

        Of another machine there is no list, so there the studio ends.
        """
        if remote_machine.current():
            self.exit()
        elif len(self.screen_stack) > 2:
            self.pop_screen()
        else:
            self.switch_screen(_projects(message.folder))
        if problem := save_left():
            self._notice(problem)

    def on_text_selected(self) -> None:
        """Copies what was selected with the mouse."""
        if text := self.screen.get_selected_text():
            self.post_message(Copied(untrusted_text.whole(text)))

    async def on_copied(self, message: Copied) -> None:
        """Copies a text and shows how: only the file is certain, a terminal may refuse."""
        text = message.text
        if not text:
            self._notice("There is nothing to copy here.")
            return
        saved = await asyncio.to_thread(clipboard.save, text, user_files.clipboard_file())
        tmux = await asyncio.to_thread(clipboard.copy_by_tmux, text)
        method = "copied through tmux" if tmux else clipboard.copy_by_terminal(text, self.copy_to_clipboard)
        self._notice(f"{message.before}{method}; {saved}")

    def _notice(self, text: str) -> None:
        """Shows a text in the screen's line above its footer, if it has one."""
        notice = getattr(self.screen, "notice", None)
        if callable(notice):
            notice(text)
        else:
            self.notify(untrusted_text.line(text), markup=False)

    def theme_names(self) -> list[str]:
        """Returns the names of the themes, in the order in which `t` goes through them."""
        return [palette.name for palette in self.themes.palettes]

    def action_theme(self, name: str = "") -> None:
        """Changes to a theme and remembers it; without a name, to the next one."""
        names = self.theme_names()
        following = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]
        self.theme = name or following
        try:
            user_files.save_theme(self.theme)
        except OSError as error:  # the boundary of a command: shown, not raised
            self._notice(f"theme {self.theme}; not saved: {error.strerror}")
        else:
            self._notice(f"theme {self.theme}")

    def action_palette(self) -> None:
        """Opens the command palette: Textual has one key for it, and that is `:`."""
        self.action_command_palette()

    def action_help(self) -> None:
        from studio.screens.help import HelpScreen

        places = action_table.contexts(self.focused or self.screen)
        if places and not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(places, self.glyphs, self.actions))

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Saves the screen in the project's exports folder, else in the working folder."""
        roots: list[Path] = [screen.project for screen in self.screen_stack if hasattr(screen, "project")]
        roots = [] if remote_machine.current() else roots
        folder = Path(path) if path else roots[-1] / "exports" if roots else Path()
        file = folder / (filename or f"studio-{time.strftime('%Y-%m-%d-%H%M%S')}.svg")
        self.call_after_refresh(self._save_screenshot, file)  # once the command palette is closed

    def _save_screenshot(self, file: Path) -> None:
        from studio.terminal.screenshot import save_screenshot  # rarely used

        rows, ground = self.screen._compositor.render_strips(), self.screen.styles.background.hex6.lower()

        def save() -> str:
            try:
                return "saved " + " and ".join(map(str, save_screenshot(rows, ground, file)))
            except OSError as error:  # the boundary of a command: shown, not raised
                return f"not saved: {error}"

        self.run_worker(lambda: self.call_from_thread(self._notice, save()), thread=True)

    def action_repaint(self) -> None:
        repaint = getattr(self._driver, "repaint", None)
        if repaint is not None:
            repaint()
        self.refresh()

    def action_interrupt(self) -> None:
        """Leaves if it is pressed twice."""
        before, self._interrupted = self._interrupted, time.monotonic()
        if self._interrupted - before < PRESS_AGAIN_S:
            self.action_leave()
        else:
            self._notice("q leaves the studio, and so does ctrl+c pressed again; runs go on")

    def action_leave(self) -> None:
        from studio.screens.project import ProjectScreen
        from studio.screens.settings import SettingsForm

        if isinstance(self.screen, SettingsForm) and self.screen.warn_of_loss("q"):
            return
        for screen in self.screen_stack:
            if isinstance(screen, ProjectScreen):
                screen.save_view()
        known = (screen.live_runs for screen in reversed(self.screen_stack) if hasattr(screen, "live_runs"))
        alive = [untrusted_text.line(name) for name in next(known, ())]
        again = f"studio {machine.address}" if (machine := remote_machine.current()) else "studio"
        verb = f"goes on; `{again}` shows it again." if len(alive) == 1 else f"go on; `{again}` shows them again."
        self.exit(f"{', '.join(alive)} {verb}" if alive else None)
