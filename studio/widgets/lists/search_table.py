"""A table that can be searched, for lists without a filter."""

from __future__ import annotations

from studio.actions import action_table
from studio.episodes.document import Document, Paragraph
from studio.episodes.search import Search, TextMatch
from studio.widgets.lists.table import Table
from studio.widgets.search_line import Searchable


class SearchTable(Table, Searchable):
    """A table whose rows `/` searches; the cursor goes to the row of the current match."""

    CONTEXTS: tuple[action_table.Context, ...] = ("search", "table", "list")
    minor_actions = ("search.search",)
    """Actions that the footer shows after those of the pane."""

    def obstacle(self, action: str) -> str:
        return self.search_obstacle(action)

    def reload(self, *, key: str | None = None) -> None:
        super().reload(key=key)
        if self.search is not None:  # the same text is sought in the new rows
            self.search = Search(self.search.text, self._document())
            self.update_search_line()

    def search_for(self, text: str) -> None:
        self.search = Search(text, self._document()) if text.strip() else None
        if self.search is not None:
            self._go_to(self.search.jump_to(TextMatch(self.cursor, 0, 0)))

    def show_match(self, steps: int) -> None:
        if self.search is not None:
            self._go_to(self.search.step(steps, TextMatch(self.cursor, 0, 0)))

    def _go_to(self, match: TextMatch | None) -> None:
        if match is not None:
            self.move_to(match.paragraph)

    def _document(self) -> Document:
        """Returns the text of each row as a paragraph."""
        return Document(Paragraph("", "", self.row_text(index)) for index in range(len(self._rows)))
