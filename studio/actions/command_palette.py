"""The command palette: every action that can be carried out at the moment, by a few letters of it."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.dom import DOMNode

from studio.actions import action_table


class ActionProvider(Provider):
    """Offers the actions of the focused widget, of all that it lies in, and those that work everywhere."""

    async def discover(self) -> Hits:
        for action, node in self._offered():
            text = palette_text(action)
            yield DiscoveryHit(Content(text), partial(self._act, action, node), text=text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, node in self._offered():
            text = palette_text(action)
            score = matcher.match(text)  # its highlight would read [t] as markup
            if score > 0:
                yield Hit(score, Content(text), partial(self._act, action, node), text=text)

    def _offered(self) -> list[action_table.Offer]:
        found = action_table.available(self.focused or self.screen)
        return [(action, node) for action, node in found if action.name != "command_palette"]

    async def _act(self, action: action_table.Action, node: DOMNode) -> None:
        await self.app.run_action(action.name, default_namespace=node)


def palette_text(action: action_table.Action) -> str:
    """An action as the palette shows it."""
    verb = f"  ({action.verb})" if action.verb else ""
    return f"{action.help}  [{action.key}]{verb}"
