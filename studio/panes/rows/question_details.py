"""One example or question in full, as lines of the task pane."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from textual.content import Content

from autoact.trajectory import Question
from studio.files import examples_jsonl
from studio.files.examples_jsonl import ExampleLine
from studio.files.practice_questions import PracticeQuestion
from studio.terminal import untrusted_text

LABEL = re.compile("(Thought|Action|Observation):")


def example_detail(row: ExampleLine) -> list[Content]:
    """Returns an example with its worked steps, or the invalid line with its error."""
    if row.error:
        return [untrusted_text.content(row.error, "$error"), Content(untrusted_text.clean(row.line))]
    lines = [*_head(row.question, row.answer), *_about(row.data)]
    if steps := examples_jsonl.transcript(row):
        return [*lines, Content(""), *map(_step_line, untrusted_text.clean(steps).split("\n"))]
    return [*lines, Content.styled("No worked steps; with them it is a demonstration for the meta-agent.", "$quiet")]


def _step_line(line: str) -> Content:
    label = LABEL.match(line)
    return Content(line).stylize("$accent", 0, label.end()) if label else Content(line)


def practice_detail(one: PracticeQuestion) -> list[Content]:
    """Returns a practice question with its answer, and the reason for which it was refused."""
    reason = [untrusted_text.content(f"refused: {one.refused}", "$warning")] if one.refused else []
    return [*_head(one.question, one.answer), *_about({"type": one.type, "gold": one.pages}), *reason]


def question_detail(question: Question) -> list[Content]:
    """Returns a held-out question with its options and its answers."""
    choices = [f"({letter}) {text}" for letter, text in zip(ascii_uppercase, question.choices, strict=False)]
    answer = " or ".join([question.answer or "", *question.other_answers])
    about = {"type": question.type, "level": question.level, "gold": question.gold}
    return [*_head(question.text, answer), *map(untrusted_text.content, choices), *_about(about)]


def _head(question: str, answer: str) -> list[Content]:
    return [Content.styled(untrusted_text.clean(question), "bold"), _pair("answer", answer)]


def _about(data: Mapping[str, Any]) -> list[Content]:
    """Returns lines for the type, the level and the pages of a question, where they are known."""
    pages = data.get("gold")
    listed = ", then ".join(map(str, pages)) if isinstance(pages, Sequence) and not isinstance(pages, str) else pages
    known = {"type": data.get("type"), "level": data.get("level"), "pages": listed}
    return [_pair(name, str(value)) for name, value in known.items() if value]


def _pair(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<8}", "$accent"), untrusted_text.line(value, 1_000))
