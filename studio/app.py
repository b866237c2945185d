"""The studio: a Textual app over the folders of runs. It reads and starts; it owns nothing."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from typing import TYPE_CHECKING

from textual.app import App
from textual.driver import Driver
from textual.events import Event, Key, Paste
from textual.theme import BUILTIN_THEMES

from autoact import trust
from autoact.errors import AutoActError, BadInput
from studio.actions import action_table, keymap
from studio.target import Target
from studio.terminal import clipboard, glyphs, theme, untrusted_text, user_files
from studio.terminal.clipboard import Copied
from studio.terminal.typeahead import TypeAhead

if TYPE_CHECKING:
    from pathlib import Path

    from textual.command import Provider
    from textual.screen import Screen

    from studio.screens.project import ProjectScreen
    from studio.screens.projects import ProjectsScreen

AGAIN = 2.0
"""Seconds within which ctrl+c is pressed twice."""
THEMES_EVERY = 1.5
"""Seconds between looks at the person's own theme files."""


def _actions() -> type[Provider]:
    from studio.actions.command_palette import (
        ActionProvider,  # takes a while to import, and not everyone opens the palette
    )

    return ActionProvider


def _projects(folder: Path) -> Screen[None]:
    from studio.screens.projects import ProjectsScreen

    return ProjectsScreen(folder)


def _project(root: Path, run: str = "") -> Screen[None]:
    from studio.screens.project import ProjectScreen

    return ProjectScreen(root, run, "Trajectories") if run else ProjectScreen(root)


class StudioApp(App[str]):
    """Ends with a line to print, if there is something to say. A screen's code is loaded when it is first shown."""

    TITLE = "AutoAct Studio"
    COMMANDS = {_actions}
    BINDINGS = action_table.bindings("everywhere")

    def __init__(self, target: Target):
        # Textual looks once, here, whether the colours are the terminal's own; NO_COLOR must find that they are.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") is not None else None)
        self.target = target
        self.glyphs = glyphs.terminal_glyphs()
        self.actions: tuple[action_table.Action, ...] = action_table.ACTIONS
        self.troubles: list[str] = []
        """What is wrong with the person's own files, to be said once there is a screen."""
        self._declined: set[Path] = set()
        """Projects that the person only looks at, as far as was asked."""
        self._typeahead = TypeAhead(self, self._forward, self._offer)
        self._use_keymap()
        self.themes = theme.Themes(user_files.folder() / "themes")
        if os.environ.get("SSH_CONNECTION"):
            self.animation_level = "none"
        self._interrupted = -AGAIN
        self._offer_themes()
        self.theme = self._first_theme()

    def _first_theme(self) -> str:
        """The remembered theme, where the terminal has the colours for it."""
        if self.no_color and "ansi-dark" in BUILTIN_THEMES:  # Textual would turn any other theme into greys
            return "ansi-dark"
        if self.console.color_system == "standard":  # sixteen colours: those of other themes would look alike
            return theme.SIXTEEN
        remembered = user_files.read_theme()
        return remembered if remembered in self.available_themes else theme.DEFAULT

    def get_driver_class(self) -> type[Driver]:
        """Ours in place of Textual's on a Linux or macOS terminal, unless AUTOACT_DRIVER says `stock`."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver" or os.environ.get("AUTOACT_DRIVER") == "stock":
            return usual
        from studio.terminal.driver import StudioDriver

        return StudioDriver

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.defaults()

    def on_mount(self) -> None:
        self.call_later(self._open_first)  # before the app runs it would be drawn in vain
        self.look_at_themes()
        self.set_interval(THEMES_EVERY, self.look_at_themes)

    async def on_event(self, event: Event) -> None:
        """Keys and pasted text go out one by one; pasted text is foreign text."""
        if isinstance(event, Paste) and not event.is_forwarded:
            event.text = untrusted_text.pasted(event.text)
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self._typeahead.take(event)
        else:
            await super().on_event(event)

    async def _forward(self, event: Key | Paste) -> None:
        """Hand a key or a pasted text to the focused widget. A field of one line takes several lines as one."""
        if isinstance(event, Paste):
            from textual.widgets import Input  # not before the first picture

            if isinstance(self.focused, Input):
                event.text = " ".join(line.strip() for line in event.text.split("\n") if line.strip())
        await super().on_event(event)

    def _offer(self) -> None:
        """A key may have changed what can be done."""
        offer = getattr(self.screen, "offer", None)
        if callable(offer):
            offer()

    def look_at_themes(self) -> None:
        """A theme file that a person is working on shows as soon as it is saved; faults in their files are said."""
        if self.themes.look():
            self._offer_themes()
            self.refresh_css(animate=False)
        for trouble in [*self.troubles, *self.themes.troubles][:2]:
            self.notify(untrusted_text.line(trouble), severity="warning", markup=False)
        self.troubles.clear()
        self.themes.troubles.clear()

    def _use_keymap(self) -> None:
        """The person's own keys; the usual ones when their file cannot be used."""
        try:
            self.actions = keymap.read(user_files.folder() / "keys.toml")
        except BadInput as error:
            self.troubles.append(str(error))
        self.set_keymap(keymap.overrides(self.actions))

    def _offer_themes(self) -> None:
        for palette in self.themes.palettes:
            self.register_theme(palette.theme())

    def first_screen(self) -> Screen[None]:
        """The project or the run that was asked for, else the list."""
        if self.target.project is None:
            return _projects(self.target.folder)
        return _project(self.target.project, self.target.run)

    async def _open_first(self) -> None:
        await self.push_screen(self.first_screen())
        if self.target.project is not None:
            self.ask_for_trust(self.target.project)

    def on_projects_screen_opened(self, message: ProjectsScreen.Opened) -> None:
        self.push_screen(_project(message.root))
        self.ask_for_trust(message.root)

    def ask_for_trust(self, root: Path) -> None:
        """Ask once for a project that is not known to be this person's; after a no it is only looked at."""
        if trust.is_trusted(root) or root in self._declined:
            return
        from studio.screens.confirm import Confirm

        waiting = trust.RULES["project"]["run"].told, trust.RULES["project"]["sent"].told
        reasons = (
            f"`{root.name}` came from elsewhere, was copied, or was made by an earlier version.",
            f"It can be looked at. Until you trust it, {waiting[0]} of it runs, and {waiting[1]} leaves this machine.",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(lambda: self._trust(root), thread=True)
            else:
                self._declined.add(root)
                self._say(f"Only looking. `autoact trust {shlex.quote(str(root))}` lets it run.")

        self.push_screen(Confirm("Trust this project, and its runs that came with it?", *reasons), answered)

    def _trust(self, root: Path) -> None:
        try:
            trust.trust_project(root)
        except (AutoActError, OSError) as error:  # the boundary of a command: said, not raised
            self.call_from_thread(self._say, f"It could not be trusted: {error}")

    def on_project_screen_left(self, message: ProjectScreen.Left) -> None:
        """Back to the screen below; below the first one is only the blank that Textual begins with."""
        if len(self.screen_stack) > 2:
            self.pop_screen()
        else:
            self.switch_screen(_projects(message.folder))

    async def on_copied(self, message: Copied) -> None:
        """Says which way the text went, for none of them can be relied on but the file."""
        text = message.text
        if not text:
            self._say("There is nothing to copy here.")
            return
        kept = await asyncio.to_thread(clipboard.keep, text, user_files.clipboard())
        tmux = await asyncio.to_thread(clipboard.through_tmux, text)
        way = "copied through tmux" if tmux else clipboard.by_terminal(text, self.copy_to_clipboard)
        self._say(f"{message.before}{way}; {kept}")

    def _say(self, text: str) -> None:
        """In the screen's line above its footer, where it has one."""
        notice = getattr(self.screen, "notice", None)
        if callable(notice):
            notice(text)
        else:
            self.notify(untrusted_text.line(text), markup=False)

    def action_theme(self) -> None:
        names = [palette.name for palette in self.themes.palettes]
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]
        try:
            user_files.remember_theme(self.theme)
        except OSError as error:  # the boundary of a command: said, not raised
            self._say(f"theme {self.theme}; not remembered: {error.strerror}")
        else:
            self._say(f"theme {self.theme}")

    def action_help(self) -> None:
        from studio.screens.help import HelpScreen

        places = action_table.contexts(self.focused or self.screen)
        if places and not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(places, self.glyphs, self.actions))

    def action_repaint(self) -> None:
        repaint = getattr(self._driver, "repaint", None)
        if repaint is not None:
            repaint()
        self.refresh()

    def action_interrupt(self) -> None:
        """Leave, if it is pressed again at once."""
        before, self._interrupted = self._interrupted, time.monotonic()
        if self._interrupted - before < AGAIN:
            self.action_leave()
        else:
            self._say("q leaves the studio, and so does ctrl+c pressed again; runs go on")

    def action_leave(self) -> None:
        from studio.screens.project import ProjectScreen

        over = [screen for screen in self.screen_stack if isinstance(screen, ProjectScreen)]
        alive = dict.fromkeys(untrusted_text.line(run.folder.name) for screen in over for run in screen.follow.alive)
        verb = "goes on; `studio` shows it again." if len(alive) == 1 else "go on; `studio` shows them again."
        self.exit(f"{', '.join(alive)} {verb}" if alive else None)
