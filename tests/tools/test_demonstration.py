"""Worked examples are shown with their observations, as far as every call of theirs works."""

from __future__ import annotations

from autoact import scratchpad
from autoact.tools.library.demonstration import fill_demonstration, is_usable
from autoact.tools.library.library import Library, ToolContext
from autoact.tools.pages.corpus import Corpus
from autoact.trajectory import Example, Question, Step

TOOLS = {"WebSearch", "Retrieve", "Lookup"}


def example(*steps: Step) -> Example:
    return Example(Question("s-1", "Who?", "Marie Curie"), steps)


def test_steps_may_call_a_tool_by_another_of_its_names(library: Library) -> None:
    shown = fill_demonstration(
        example(Step("t", "BingSearch", "Marie Curie"), Step("t", "Finish", "Marie Curie")), library
    )
    assert [step.action for step in shown.steps] == ["WebSearch", "Finish"]
    assert shown.steps[0].observation.startswith("1. ")
    assert shown.steps[1].observation == scratchpad.REFLECT_NOW
    assert is_usable(shown, TOOLS)


def test_what_a_person_wrote_stays_and_later_calls_build_on_it(library: Library) -> None:
    shown = fill_demonstration(
        example(Step("t", "Retrieve", "Marie Curie", "Mine."), Step("t", "Lookup", "Paris")), library
    )
    assert [step.observation for step in shown.steps] == ["Mine.", "(Result 1 / 1) She moved to Paris to study."]


def test_an_example_whose_call_fails_is_not_shown(library: Library) -> None:
    shown = fill_demonstration(example(Step("t", "Retrieve", "Nobody at all")), library)
    assert shown.steps[0].failed
    assert not is_usable(shown, TOOLS)


def test_a_whole_example_calls_no_tool() -> None:
    """The tools may be slow, or out of reach."""

    class Untouched(Library):
        def session(self, question: Question | None = None) -> object:  # type: ignore[override]
            raise AssertionError("no session is needed")

    untouched = Untouched((), ToolContext(Corpus.of_pages(())), ())
    whole = example(Step("t", "Retrieve", "Marie Curie", "Mine."), Step("t", "Finish", "Marie Curie"))
    assert fill_demonstration(whole, untouched).steps[0] == whole.steps[0]
