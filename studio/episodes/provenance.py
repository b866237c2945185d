"""The provenance of an answer as the log has it: gold pages, practice questions about them, trajectories, seeds."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from autoact.errors import AutoActError
from autoact.events import QuestionSolved
from autoact.lab.lineage import find_related
from autoact.project.project import Project
from autoact.run.record.state import RunState
from autoact.trajectory import Example, Question, Trajectory
from studio.terminal import untrusted_text


def read_seeds(project: Project | None) -> Sequence[Example]:
    """Returns the current seed examples; none when they cannot be read."""
    try:
        return project.examples() if project else ()
    except AutoActError:
        return ()  # the task pane shows the error


def provenance(state: RunState, solved: QuestionSolved, examples: Sequence[Example]) -> list[Content]:
    """Returns lines about an answer: its turns, its gold pages, related training examples, and seeds."""
    trajectory, question = solved.trajectory, solved.trajectory.question
    lines = [
        _pair("asked", question.text, "bold"),
        _pair("answer", f"{trajectory.answer or 'no answer'}; expected {question.answer}", "$error"),
        _pair("by", f"{solved.cast}, {trajectory.halt}, reflect-agent said {trajectory.verdict or 'nothing'}"),
        *(_pair("turn", f"{step.action}[{step.argument}]  {step.thought}", "$quiet") for step in trajectory.steps),
        _pair("pages", ", ".join(question.gold) or "the question names no pages that hold its answer"),
    ]
    return [*lines, *_practice(state, trajectory), *_seeds(question, examples)]


def list_answers(question: str, answers: object) -> list[Content]:
    """Returns lines about what runs answered to a question, as `autoact answers --json` printed it."""
    rows = [one for one in answers if one["question"] == question] if isinstance(answers, list) else []
    lines = [_pair("asked", question, "bold"), *(_pair("expected", str(one["expected"])) for one in rows[:1])]
    for one in rows:
        score = f"F1 {one['f1']:.2f}" if "f1" in one else "no score"
        text = f"{one['run']}  {one['method']}: {one['answer'] or 'no answer'}"
        lines.append(_pair(score, text, "$error" if one.get("em", 1) < 1 else ""))
    return lines


def _practice(state: RunState, trajectory: Trajectory) -> list[Content]:
    """Returns lines about the practice questions that an answer may come from, each with its trajectories."""
    related = find_related(state, trajectory)
    share = "about the same pages" if trajectory.question.gold else "with the same tool calls"
    lines = [Content(f"\n{len(related)} practice question{'s' * (len(related) != 1)} {share}")]
    for one in related:
        tries = f"{len(one.tries)} tr{'y' if len(one.tries) == 1 else 'ies'}"
        rows = f"{tries}, {len(one.rows)} kept{' as training rows' * bool(one.rows)}" if one.tries else "never tried"
        lines.append(_pair(one.question.origin, f"{one.question.text}  {one.question.answer}"))
        lines += [_pair("", rows), *(_pair("", f"{each.unit}: {each.judgement}", "$quiet") for each in one.tries)]
    if not related:
        lines.append(_pair("", "nothing in training was about them", "$warning"))
    return lines


def _seeds(question: Question, examples: Sequence[Example]) -> list[Content]:
    """Returns lines about the seeds of the same type or on the same pages; else about all, as every prompt has them."""
    near = [
        one.question for one in examples
        if (question.type and one.question.type == question.type) or set(one.question.gold) & set(question.gold)
    ]  # fmt: skip
    named = near or [one.question for one in examples]
    head = "of its type or about its pages" if near else "of another type, about other pages"
    lines = [Content(f"\n{len(named)} seed question{'s' * (len(named) != 1)} {head}")]
    return lines + [_pair("seed", f"{one.text}  {one.answer}") for one in named]


def _pair(name: str, text: str, style: str = "") -> Content:
    return Content.assemble((f"{name:>11}  ", "$accent"), untrusted_text.content(text, style))
