"""Facts: one-hop questions that the model writes about a clause and confirms from the page.

For each clause the model continues some first words of a question, such as `In what year did`; what only the first
sentence of an encyclopedia page says comes with its question (`lead`). A question stands if it names its subject, is in
a form that can be checked, asks for what the clause says, and if the model, asked from the page alone, chooses the same
answer among all names, numbers and nouns of the page.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterable, Sequence
from itertools import islice

from msgspec import Struct

from autoact import prompts
from autoact.english.answer_forms import find_answers, find_kind
from autoact.metrics import normalise
from autoact.project.config import SelfInstruct, Task
from autoact.script import Answer, Ask, Prompt, Sampling
from autoact.stages.by_type.clauses import SLOT, Clause, capitalise, split_clauses, to_template
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.forms import Reading, SentenceForm
from autoact.stages.by_type.openings import find_openings
from autoact.stages.by_type.readers import read_form, read_introduction
from autoact.stages.by_type.shares import find_type
from autoact.trajectory import Example, Page

QUESTION_TOKENS, ANSWER_TOKENS = 24, 16
"""Most new tokens of a question and of an answer."""
OTHERS = 5
"""Introductions of other pages among which the model chooses the right one."""
KNOWN = 500
"""Pages from which they come."""
SHOWN = 3
"""Seed questions shown when a question is answered from its page."""
PRONOUN = re.compile(r"\b(?:it|its|he|she|his|her|him|they|their|them|there|this|sentence|page)\b", re.IGNORECASE)


class Fact(Struct, frozen=True):
    """A confirmed question about a page, and its answer."""

    page: str
    """The title."""
    name: str
    """The subject in running text."""
    template: str
    """The question with SLOT in place of the subject."""
    reading: Reading
    clause: str

    @property
    def answer(self) -> str:
        return self.reading.answer

    @property
    def form(self) -> SentenceForm:
        return self.reading.form

    def ask(self, name: str = "") -> str:
        """Returns the question about its subject, or about another thing in its place."""
        return capitalise(self.template.replace(SLOT, name or self.name))


class FactDraft(Struct, frozen=True):
    """A question that the model wrote; without a fact it is refused."""

    name: str
    """Its number within the stage, such as fact-0012-3."""
    question: str
    answer: str
    fact: Fact | None = None
    refusal: str = ""


class FactWriter:
    """Writes the facts of a corpus, clause by clause."""

    def __init__(self, task: Task, examples: Sequence[Example], settings: SelfInstruct, words: CorpusWords):
        self.task, self.examples, self.settings, self.words = task, examples, settings, words
        clauses = (clause for page in islice(words.pages.values(), KNOWN) for clause in self.clauses(page)[:1])
        self.introductions = sorted({found.answer for clause in clauses if (found := read_introduction(clause))})

    def clauses(self, page: Page) -> list[Clause]:
        """Returns the clauses of a page."""
        return split_clauses(page, self.words.name(page))

    def stated(self, page: Page) -> list[Fact]:
        """Returns the facts of the clauses that come with their questions, which the model has not confirmed."""
        asked = [(one.question.replace(SLOT, one.name), one) for one in self.clauses(page) if one.question]
        return [fact for question, clause in asked if (fact := self._judge("", question, clause).fact)]

    def write(self, name: str, clause: Clause) -> Generator[Ask, Answer, list[FactDraft]]:
        """Writes the questions about one clause, checks each by the rules, and confirms those that pass."""
        if clause.question:
            return [(yield from self._check(name, clause.question.replace(SLOT, clause.name), clause))]
        drafts: dict[str, FactDraft] = {}
        if introduced := self._introduction(name, clause):
            drafts[introduced.question] = yield from self._confirm(introduced, clause, self._other_introductions(name))
        for number, first in enumerate(find_openings(clause, self.words)):
            reply = yield Ask(
                "meta", "text", self._question_prompt(clause, first), stop=("\n", "?"), limit=QUESTION_TOKENS,
                barred=("do", "have"),
            )  # fmt: skip
            question = f"{first} {reply.text.strip()}".strip() + "?"
            if question in drafts:
                continue
            drafts[question] = yield from self._check(f"{name}-{number}", question, clause)
        return list(drafts.values())

    def _check(self, name: str, question: str, clause: Clause) -> Generator[Ask, Answer, FactDraft]:
        draft = self._judge(name, question, clause)
        if draft.fact is None:
            return draft
        return (yield from self._confirm(draft, clause, self._others(draft.fact, clause.page)))

    def _judge(self, name: str, question: str, clause: Clause) -> FactDraft:
        template = to_template(question, clause.page.title)
        refusal = find_template_defect(template)
        if refusal:
            return FactDraft(name, question, "", refusal=refusal)
        reading = read_form(template, clause, self.words)
        if isinstance(reading, str):
            return FactDraft(name, question, "", refusal=reading)
        if f" {normalise(reading.answer)} " in f" {normalise(question)} ":
            return FactDraft(name, question, reading.answer, refusal="answer is in the question")
        fact = Fact(clause.page.title, clause.name, template, reading, clause.source or clause.text)
        return FactDraft(name, fact.ask(), reading.answer, fact)

    def _introduction(self, name: str, clause: Clause) -> FactDraft | None:
        reading = read_introduction(clause)
        if reading is None:
            return None
        fact = Fact(clause.page.title, clause.name, f"What {reading.form.auxiliary} {SLOT}?", reading, clause.text)
        return FactDraft(f"{name}-what", fact.ask(), reading.answer, fact)

    def _other_introductions(self, name: str) -> list[str]:
        """Returns what some other pages say that their subjects are."""
        return random.Random(name).sample(self.introductions, min(OTHERS, len(self.introductions)))

    def _others(self, fact: Fact, page: Page) -> list[str]:
        """Returns what else on the page could be the answer."""
        others = find_others(fact.answer, page)
        located = fact.form.kind in ("place", "where")
        return [one for one in others if self.words.may_be_place(one)] if located else others

    def _confirm(self, draft: FactDraft, clause: Clause, others: Iterable[str]) -> Generator[Ask, Answer, FactDraft]:
        """Asks for the answer from the page alone, `readings` times, the first time for the likeliest."""
        prompt = self._answer_prompt(clause.page, draft.question)
        found = dict.fromkeys((draft.answer, *others))
        sampling = Sampling(self.settings.temperature, self.settings.top_p)
        for number in range(self.settings.readings):
            reply = yield Ask(
                "meta", "text", prompt, limit=ANSWER_TOKENS, sampling=sampling if number else Sampling(),
                choices=tuple(f" {answer}" for answer in found),
            )  # fmt: skip
            if normalise(reply.text) != normalise(draft.answer):
                return FactDraft(draft.name, draft.question, draft.answer, refusal="answered otherwise from the page")
        return draft

    def _question_prompt(self, clause: Clause, first: str) -> Prompt:
        system = prompts.fill("fact_question", task=self.task.description)
        user = f"Page: {clause.page.title}\nSentence: {clause.text}."
        return Prompt(system, user, ("Question:", f" {first}"), _exchanges("fact_examples", "Question:"))

    def _answer_prompt(self, page: Page, question: str) -> Prompt:
        system = prompts.fill("self_instruct", task=self.task.description)
        shown = _exchanges("reading_examples", "Answer:") + self._seeds()
        return Prompt(system, f"{page.title}: {page.text}\nQuestion: {question}", ("Answer:",), shown)

    def _seeds(self) -> tuple[tuple[str, str], ...]:
        """Returns seed questions that one page answers, as exchanges."""
        asked = [example.question for example in self.examples if find_type(example.question) == "one-hop"]
        return tuple(
            (f"{page.title}: {page.text}\nQuestion: {question.text}", f"Answer: {question.answer}")
            for question in asked
            if question.gold and (page := self.words.page(question.gold[0]))
        )[:SHOWN]


def _exchanges(prompt: str, label: str) -> tuple[tuple[str, str], ...]:
    """Returns invented examples of a prompt file, which show the form only, as exchanges; a reply begins at a label."""
    blocks = (block.partition(f"\n{label}") for block in prompts.fill(prompt).split("\n\n"))
    return tuple((user, f"{label}{reply}") for user, _, reply in blocks)


def find_template_defect(template: str) -> str:
    """Returns the reason to refuse a question whatever its clause says; empty when there is none."""
    words = template.split()
    if not 3 <= len(words) <= 24:
        return "question too short" if len(words) < 3 else "question too long"
    if template.count(SLOT) != 1:
        return "does not name its subject"
    if PRONOUN.search(template):
        return "has a pronoun"
    return ""


def find_others(answer: str, page: Page) -> list[str]:
    """Returns all else on a page that is of an answer's kind (years, amounts, numbers, names or nouns).

    Leaves out what shares a word with the answer, such as `River Thames` for `Thames`.
    """
    words = set(answer.split())
    found = find_answers(page.text, page.title)
    return [one for one in found if find_kind(one) == find_kind(answer) and not words & set(one.split())]
