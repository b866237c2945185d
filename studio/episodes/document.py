"""A document of paragraphs that a transcript shows: the turns of an episode, or the lines of an event log."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from autoact.registry.roles import speaker
from studio.terminal import untrusted_text

LAST_PARTS = ("observation", "verdict")
"""Parts that end a step."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One turn of an episode, such as a thought, an action or an observation; or a line about it."""

    role: str
    """meta, plan, tool, reflect or world, or the name of an adapter, which a document shows as the part's role."""
    part: str
    """thought, action, observation and so on; shown in the gutter."""
    text: str
    owner: int = -1
    """Number by which the pane finds the turn under the cursor; -1 for none, at most 2**31."""


Mark = tuple[int, int, str]
"""A piece of a paragraph: its first character, the one after its last, and `removed`, `added`, `match` or `current`."""


class Document:
    """Paragraphs in order. Every text is made safe when it is added.

    `changed` is the index of the first paragraph that the view has not drawn; the view sets it when it draws.
    """

    def __init__(self, paragraphs: Iterable[Paragraph] = ()) -> None:
        self.changed = 0
        self.longest_part = 0
        """The length of the longest part that must not be cut off; 0 where short forms of the parts will do."""
        self._kinds: list[tuple[str, str]] = []
        self._texts: list[str] = []
        self._owners = array("l")
        self._marks: dict[int, tuple[Mark, ...]] = {}
        self._interned: dict[tuple[str, str], tuple[str, str]] = {}
        self._writer = untrusted_text.Writer()
        for paragraph in paragraphs:
            self.add(paragraph)

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: int) -> Paragraph:
        """Returns a paragraph with its safe text."""
        role, part = self._kinds[index]
        return Paragraph(role, part, self._texts[index], self._owners[index])

    def text(self, index: int) -> str:
        """Returns the safe text of one paragraph."""
        return self._texts[index]

    def kind(self, index: int) -> tuple[str, str]:
        """Returns role and part of one paragraph, safe."""
        return self._kinds[index]

    def begins_step(self, index: int) -> bool:
        """Returns whether a paragraph is the first of a step; an event of a log is a step of its own."""
        return not index or not self._kinds[index][0] or self._kinds[index - 1][1] in LAST_PARTS

    def length(self, first: int, last: int) -> int:
        """Returns the characters of the paragraphs `first` to before `last`; cheap."""
        return sum(map(len, self._texts[first:last]))

    def add(self, paragraph: Paragraph) -> int:
        """Adds a paragraph and returns its index."""
        return self._append(paragraph.role, paragraph.part, untrusted_text.clean(paragraph.text), paragraph.owner)

    def mark(self, index: int, marks: tuple[Mark, ...]) -> None:
        """Marks pieces of a paragraph as different from those of another episode."""
        if marks:
            self._marks[index] = marks

    def marks(self, index: int) -> tuple[Mark, ...]:
        """Returns the marked pieces of a paragraph."""
        return self._marks.get(index, ())

    def begin(self, role: str, part: str, owner: int = -1) -> int:
        """Adds an empty paragraph that `write` fills, and returns its index."""
        self._writer = untrusted_text.Writer()
        return self._append(role, part, "", owner)

    def write(self, text: str) -> None:
        """Appends text to the paragraph that was begun last."""
        self._texts[-1] = self._writer.write(text)
        self._touch(len(self._texts) - 1)

    def replace(self, index: int, text: str) -> None:
        """Replaces the text of a paragraph."""
        self._texts[index] = untrusted_text.clean(text)
        self._touch(index)

    def truncate(self, index: int) -> None:
        """Removes this paragraph and all that follow."""
        del self._kinds[index:], self._texts[index:], self._owners[index:]
        self._marks = {at: marks for at, marks in self._marks.items() if at < index}
        self._touch(index)

    def _append(self, role: str, part: str, text: str, owner: int) -> int:
        kind = self._interned.get((role, part))
        if kind is None:
            kind = self._interned[role, part] = (speaker(role, part), untrusted_text.line(part))
        self._kinds.append(kind)
        self._texts.append(text)
        self._owners.append(owner)
        self._touch(len(self._texts) - 1)
        return len(self._texts) - 1

    def _touch(self, index: int) -> None:
        self.changed = min(self.changed, index)
