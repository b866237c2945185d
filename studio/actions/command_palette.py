"""The command palette: finds the actions that are possible now by a few letters."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.dom import DOMNode

from studio.actions import action_table


class ActionProvider(Provider):
    """Searches the actions of the focused widget, of its ancestors and of the app."""

    async def discover(self) -> Hits:
        for action, node in self._available():
            text = palette_text(action)
            yield DiscoveryHit(Content(text), partial(self._run, action, node), text=text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, node in self._available():
            text = palette_text(action)
            score = matcher.match(text)  # its highlight would read [t] as markup
            if score > 0:
                yield Hit(score, Content(text), partial(self._run, action, node), text=text)

    def _available(self) -> list[action_table.Offer]:
        found = action_table.available_actions(self.focused or self.screen)
        return [(action, node) for action, node in found if action.name not in ("command_palette", "palette")]

    async def _run(self, action: action_table.Action, node: DOMNode) -> None:
        await self.app.run_action(action.name, default_namespace=node)


def palette_text(action: action_table.Action) -> str:
    """Returns the line for an action."""
    verb = f"  ({action.verb})" if action.verb else ""
    return f"{action.help}  [{action.key}]{verb}"
