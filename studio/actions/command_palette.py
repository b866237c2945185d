"""The command palette: finds the actions that are possible now, and the colour themes, by a few letters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.dom import DOMNode

from studio.actions import action_table
from studio.terminal import untrusted_text

if TYPE_CHECKING:
    from studio.app import StudioApp


class ActionProvider(Provider):
    """Searches the actions of the focused widget, of its ancestors and of the app, and the themes."""

    async def discover(self) -> Hits:
        for text, run in self._lines():
            yield DiscoveryHit(Content(text), run, text=text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for text, run in self._lines():
            score = matcher.match(text)  # its highlight would read [t] as markup
            if score > 0:
                yield Hit(score, Content(text), run, text=text)

    def _lines(self) -> Iterator[tuple[str, Any]]:
        """Yields each line and what it does."""
        for action, node in self._available():
            yield palette_text(action), partial(self._run, action, node)
        app = cast("StudioApp", self.app)
        for name in app.theme_names():
            yield f"the colour theme {untrusted_text.line(name)}", partial(app.action_theme, name)

    def _available(self) -> list[action_table.Offer]:
        found = action_table.available_actions(self.focused or self.screen)
        return [(action, node) for action, node in found if action.name not in ("command_palette", "palette")]

    async def _run(self, action: action_table.Action, node: DOMNode) -> None:
        await self.app.run_action(action.name, default_namespace=node)


def palette_text(action: action_table.Action) -> str:
    """Returns the line for an action."""
    verb = f"  ({action.verb})" if action.verb else ""
    return f"{action.help}  [{action.key}]{verb}"
