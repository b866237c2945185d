"""The seed examples, the practice questions and the held-out questions as rows of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from textual.content import Content

from autoact.lab.precision import describe_precision
from autoact.lab.tally import count_examples
from autoact.trajectory import Question
from studio.files import examples_jsonl
from studio.files.examples_jsonl import ExampleLine
from studio.files.practice_marks import PracticeMarks
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
PRACTICE = (
    Column("", 3),
    Column("mark", 7),
    Column("practice question"),
    Column("answer", 18),
    Column("reason for refusal", least=60),
)

HELD_OUT = (
    Column("held-out question"),
    Column("answer", 18),
    Column("type", 12, least=60),
    Column("level", 8, least=80),
)


class ExampleRows:
    """The examples as rows of a table."""

    def __init__(self) -> None:
        self.rows: Sequence[ExampleLine] = ()
        self.duplicates: dict[int, int] = {}
        """By index: the index of an earlier row with nearly the same question."""

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        row = self.rows[index]
        if row.error:
            return Content.styled("!", "$error"), untrusted_text.content(row.error, "$error"), row.answer, "", ""
        sign = Content.styled("~", "$warning") if index in self.duplicates else Content("")
        return sign, row.question, row.answer, examples_jsonl.answer_kind(row.answer), str(row.steps or "")

    def key(self, index: int) -> str:
        return str(index)


TO_MARK = "?"
"""The sign of a question of the sample that has no mark yet."""


class PracticeRows:
    """The practice questions as rows of a table, with a sign for those that were added (+) or dropped (-)."""

    def __init__(self) -> None:
        self.rows: list[PracticeQuestion] = []
        self.added: set[str] = set()
        """Questions that are among the examples."""
        self.dropped: set[str] = set()
        """Units of questions that the person dropped."""
        self.marks: PracticeMarks | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        one = self.rows[index]
        sign = "+" if one.question in self.added else "-" if one.unit in self.dropped else ""
        quiet = "$quiet" if one.refused or sign == "-" else ""
        question, answer = untrusted_text.content(one.question, quiet), untrusted_text.content(one.answer, quiet)
        reason = untrusted_text.content(one.refused, "$warning")
        return Content.styled(sign, "$accent"), self._mark(one), question, answer, reason

    def key(self, index: int) -> str:
        return self.rows[index].unit

    def _mark(self, one: PracticeQuestion) -> Content:
        """Returns the mark, quiet where it does not count, or the sign of a question that is to be marked."""
        if self.marks is None:
            return Content("")
        counts = one.key in self.marks.sample and not one.refused
        right = self.marks.values.get(one.key)
        if right is None:
            return Content.styled(TO_MARK if counts else "", "$accent")
        return Content.styled(
            "right" if right else "wrong", ("$success" if right else "$error") if counts else "$quiet"
        )


class HeldOutRows:
    """The held-out questions as rows of a table."""

    def __init__(self) -> None:
        self.rows: Sequence[Question] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        one = self.rows[index]
        return one.text, one.answer or "", one.type, one.level

    def key(self, index: int) -> str:
        return self.rows[index].id


def held_out_counts(questions: Sequence[Question]) -> Content:
    """Returns the number of held-out questions, and how many are of each type."""
    types = Counter(one.type or "no type" for one in questions)
    parts = [
        f"{len(questions)} held-out question{'s' * (len(questions) != 1)}",
        *(f"{count} {name}" for name, count in types.most_common(8)),
    ]
    return untrusted_text.content("  ".join(parts))


def example_counts(rows: Sequence[ExampleLine], duplicates: Mapping[int, int]) -> Content:
    """Returns the number of examples by kind of answer, and of invalid ones and near-duplicates."""
    kinds = examples_jsonl.count_kinds(rows)
    parts = [Content("  ".join([count_examples(len(rows)), *(f"{count} {kind}" for kind, count in kinds.items())]))]
    if invalid := sum(1 for row in rows if row.error):
        parts.append(Content.styled(f"! {invalid} invalid", "$error"))
    if duplicates:
        parts.append(Content.styled(f"~ {len(duplicates)} near-duplicate{'s' * (len(duplicates) > 1)}", "$warning"))
    return Content("   ").join(parts)


def mark_counts(marks: PracticeMarks) -> Content:
    """Returns the number of marked questions of the sample with the estimate, or the error of the file of marks."""
    if marks.error:
        return untrusted_text.content(marks.error, "$error")
    found = marks.precision
    rest = f"   r marks those with {TO_MARK}" if found.marked < found.sample else ""
    return Content(f"practice questions {describe_precision(found)}{rest}" if found.sample else "")
