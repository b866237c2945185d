"""The seed examples and the self-made questions as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from studio.files import examples_jsonl
from studio.files.examples_jsonl import ExampleLine
from studio.files.practice_questions import PracticeQuestion
from studio.terminal import untrusted_text
from studio.widgets.lists.table import Column

EXAMPLES = (
    Column("", 3),
    Column("question"),
    Column("answer", 18),
    Column("kind", 8, least=60),
    Column("steps", 6, right=True),
)
DRAFTS = (Column("", 3), Column("self-made question"), Column("answer", 18), Column("reason for refusal", 24, least=60))


class ExampleRows:
    """The examples as a table's rows."""

    def __init__(self) -> None:
        self.rows: list[ExampleLine] = []
        self.alike: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        row = self.rows[index]
        if row.trouble:
            return Content.styled("!", "$error"), untrusted_text.content(row.trouble, "$error"), row.answer, "", ""
        sign = Content.styled("~", "$warning") if index in self.alike else Content("")
        return sign, row.question, row.answer, examples_jsonl.answer_kind(row.answer), str(row.steps or "")

    def key(self, index: int) -> str:
        return str(index)


class DraftRows:
    """The self-made questions as a table's rows; what a person did with one stands before it."""

    def __init__(self) -> None:
        self.rows: list[PracticeQuestion] = []
        self.taken: set[str] = set()
        """Questions that are among the examples."""
        self.dropped: set[str] = set()

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        draft = self.rows[index]
        done = "+" if draft.question in self.taken else "-" if draft.unit in self.dropped else ""
        quiet = "$quiet" if draft.refused or done == "-" else ""
        question, answer = untrusted_text.content(draft.question, quiet), untrusted_text.content(draft.answer, quiet)
        return Content.styled(done, "$accent"), question, answer, untrusted_text.content(draft.refused, "$warning")

    def key(self, index: int) -> str:
        return self.rows[index].unit


def example_counts(rows: Sequence[ExampleLine], alike: Mapping[int, int]) -> Content:
    """How many examples there are, by the sort of their answer, and what is wrong with them."""
    kinds = examples_jsonl.count_kinds(rows)
    parts = [Content("  ".join([f"{len(rows)} examples", *(f"{count} {kind}" for kind, count in kinds.items())]))]
    if wrong := sum(1 for row in rows if row.trouble):
        parts.append(Content.styled(f"! {wrong} invalid", "$error"))
    if alike:
        parts.append(Content.styled(f"~ {len(alike)} near-duplicate{'s' * (len(alike) > 1)}", "$warning"))
    return Content("   ").join(parts)
