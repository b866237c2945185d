"""A corpus of invented pages, and a model that writes good questions about them."""

from __future__ import annotations

from autoact.project.config import Task
from autoact.script import Ask
from autoact.stages.by_type.clauses import split_clauses, to_template
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.facts import Fact
from autoact.stages.by_type.forms import Reading
from autoact.stages.by_type.readers import read_form
from autoact.stages.material import SeedMaterial
from autoact.trajectory import Example, Page, Question

PAGES = (
    Page("Harvia", "Harvia is a country in the north. The capital of Harvia is Dunmore."),
    Page("Brunia", "Brunia is a country in the south. The capital of Brunia is Selk."),
    Page("Dunmore", "Dunmore is the capital of Harvia. It was founded in 1204. It stands on the river Telk."),
    Page("Selk", "Selk is the capital of Brunia. It was founded in 1310. It stands on the river Orm."),
    Page("Mila Sorrin", "Mila Sorrin was a chemist. She was born in Dunmore in 1791. She died in 1850."),
    Page("Tobias Wren", "Tobias Wren was a writer. He was born in Selk in 1765. He died in 1801."),
    Page("The Glass Orchard", "The Glass Orchard is a novel by Tobias Wren. It came out in 1799."),
)
SEEDS = (Example(Question("s-1", "Who discovered kavium?", "Mila Sorrin", "seed", type="one-hop", gold=("Kavium",))),)
MATERIAL = SeedMaterial(Task(description="Answer."), SEEDS, PAGES)
ENDINGS = {
    "The capital of": ("What is the", "capital of {page}"), "founded": ("In what year was", "founded"),
    "stands": ("On which river", "does {page} stand"), "born": ("In what year was", "born"),
    "died": ("In what year did", "die"), "novel by": ("Who wrote", ""), "came out": ("In what year did", "come out"),
}  # fmt: skip
"""The words that end a question, by a word of the sentence, with the first words that they fit."""


def write(ask: Ask) -> str:
    """Ends a question about its sentence where the first words allow it; reads the page well."""
    if ask.choices:
        return ask.choices[0]
    page, _, sentence = ask.prompt.user.removeprefix("Page: ").partition("\nSentence: ")
    for word, (first, ending) in ENDINGS.items():
        if word in sentence and ask.prompt.segments[-1].strip().startswith(first):
            return ending.format(page=page)
    return "else is there"


def read_fact(title: str, question: str, words: CorpusWords) -> Fact:
    """Returns the fact that a page states in answer to a question."""
    page = words.pages[title.lower()]
    for clause in split_clauses(page, words.name(page)):
        reading = read_form(to_template(question, title), clause, words)
        if isinstance(reading, Reading):
            return Fact(title, clause.name, to_template(question, title), reading, clause.text)
    raise AssertionError(f"{title} does not say {question}")
