"""Stage 1: a few seed examples in, new practice questions out, near-duplicates and nonsense refused with a reason.

Paper, section 3.2. With a corpus every question is grounded in one passage; without one it grows from the seeds and
from what was accepted so far, as the published code does.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from itertools import islice

import msgspec
from msgspec import Struct
from rapidfuzz import fuzz

from autoact import prompts
from autoact.events import QuestionAccepted, QuestionRefused, StageProgressed
from autoact.metrics import normalise
from autoact.project.config import SelfInstruct, Task
from autoact.registry.stages import SELF_INSTRUCT
from autoact.script import Answer, Ask, Prompt, Round, Sampling, StageScript, Unit
from autoact.stages import options
from autoact.stages.context import StageContext
from autoact.stages.draft_text import read_answer, read_question
from autoact.trajectory import Example, Page, Question

QUESTION, ANSWER = "Question:", "Answer:"
ORDER_GROUNDED, ORDER_FREE = (ANSWER, QUESTION), (QUESTION, ANSWER)
LIMITS = {QUESTION: 40, ANSWER: 16, options.WRONG: 16}
"""New tokens at most."""
LINE = ("\n",)
STOPS = {QUESTION: ("\n\n", f"\n{ANSWER}", f"\n**{ANSWER}")}
"""Where an answer of the model ends; a question may go over several lines."""
TRIES = 20
"""Tries per wanted question at most, without a corpus."""
SHOWN = 3
"""Examples shown per try."""
LONGEST = 500
"""Letters of a refused question, and of its answer, that the log keeps."""
PHRASE = 5
"""Words of the longest title looked for in a question."""
NAME_OR_NUMBER = re.compile(
    r"(?<=[a-z,;] )[A-Z][\w'-]*(?: (?:of |the )?[A-Z][\w'-]*)*|\b\d[\d,.]*\b(?: (?:meters|kilometers|years))?"
)
"""Capitalised runs inside a sentence (its first word says nothing), and numbers."""
ASKS_YES_OR_NO = frozenset(
    {"is", "are", "was", "were", "do", "does", "did", "can", "could", "has", "have", "had", "will", "would", "should"}
)
"""First words of a question whose answer is yes or no."""


class Draft(Struct, frozen=True):
    """What the model wrote, before anyone judged it."""

    question: str
    answer: str
    passage: Page | None
    again: str | None = None
    """What the model answers when it reads the passage with the question; None when it was not asked again."""
    wrong: tuple[str, ...] = ()
    """The other options of a multiple-choice question."""


class Grounds(Struct, frozen=True):
    """What self-instruct starts from."""

    task: Task
    examples: tuple[Example, ...]
    passages: tuple[Page, ...]
    held_out: tuple[Question, ...] = ()
    """Looked at only to refuse what repeats them."""
    seed: int = 0


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage, or the control that takes reference questions in its place, and how many it is to give."""
    config, inputs = context.config, context.inputs
    if config.synthesis.questions == "reference":
        return reference(inputs.reference), len(inputs.reference)
    grounds = Grounds(config.task, inputs.examples, inputs.passages, inputs.held_out, config.model.seed)
    return self_instruct(grounds, config.self_instruct), config.self_instruct.target


def self_instruct(grounds: Grounds, settings: SelfInstruct) -> StageScript:
    """Rounds of drafts until the target is reached, the passages are used up, or the model stalls."""
    bench = Bench(grounds, settings)
    numbers = iter(range(settings.passes * len(grounds.passages) or TRIES * settings.target))
    stalled = 0
    while len(bench.accepted) < settings.target and stalled < settings.stall:
        batch = list(islice(numbers, settings.round))
        if not batch:
            return
        units = [Unit(f"q-{number:04d}", partial(draft, bench, number)) for number in batch]
        before = len(bench.accepted)
        for unit, written in zip(units, (yield Round(units)), strict=True):
            if written is None or len(bench.accepted) >= settings.target:
                continue
            refusal = bench.refusal(written)
            if refusal:
                yield QuestionRefused(unit.name, written.question[:LONGEST], refusal, written.answer[:LONGEST])
            else:
                yield QuestionAccepted(bench.accept(unit.name, written))
        stalled = 0 if len(bench.accepted) > before else stalled + 1
        yield StageProgressed(SELF_INSTRUCT, len(bench.accepted), settings.target)


def draft(bench: Bench, number: int) -> Generator[Ask, Answer, Draft]:
    """One try: about a passage, the answer and then a question it answers; without one, the question first.

    Asked for the answer to its own question a small model talks; it picks one well among the names and numbers of a
    passage.
    """
    prompt, passage = bench.prompt(number)
    sampling = Sampling(bench.settings.temperature, bench.settings.top_p)
    said: dict[str, list[str]] = {QUESTION: [], ANSWER: [], options.WRONG: []}
    for part in (*(ORDER_GROUNDED if passage else ORDER_FREE), *[options.WRONG] * bench.wrong):
        prompt = prompt.then(part)
        choices = candidates(passage) if passage and part == ANSWER else ()
        reply = yield Ask(
            "meta", "text", prompt, limit=LIMITS[part], sampling=sampling, choices=choices, stop=STOPS.get(part, LINE)
        )
        said[part].append(reply.text.strip() if choices else bench.read(part, reply.text))
        prompt = prompt.then(f" {said[part][-1]}", "\n")
    draft = Draft(said[QUESTION][0], said[ANSWER][0].rstrip("."), passage, wrong=tuple(said[options.WRONG]))
    if passage is None:
        return draft
    again = yield Ask("meta", "text", bench.reading(passage, draft.question), limit=LIMITS[ANSWER])
    return msgspec.structs.replace(draft, again=again.text)


def candidates(passage: Page) -> tuple[str, ...]:
    """Answers a passage offers, as an ask's choices: its names and numbers, the title left out."""
    title = set(normalise(passage.title).split())
    found = dict.fromkeys(match.strip() for match in NAME_OR_NUMBER.findall(passage.text))
    return tuple(f" {name}" for name in found if not title & set(normalise(name).split()))


class Bench:
    """What has been accepted so far, and the rules for more."""

    def __init__(self, grounds: Grounds, settings: SelfInstruct):
        self.grounds, self.settings = grounds, settings
        self.accepted: list[Question] = []
        self.known = [example.question for example in grounds.examples]
        self.wrong = options.wanted(grounds.task, grounds.examples)
        order = random.Random(grounds.seed)
        self.passages = order.sample(grounds.passages, len(grounds.passages))
        self.by_title = {passage.title: passage for passage in grounds.passages}
        self.titles = {normalise(title) for title in self.by_title}

    def prompt(self, number: int) -> tuple[Prompt, Page | None]:
        """The prompt of try `number`, and the passage it is about."""
        system = prompts.fill("self_instruct", task=self.grounds.task.description)
        if not self.passages:
            shown = random.Random(f"{self.grounds.seed}/{number}").sample(self.known, min(SHOWN, len(self.known)))
            exchanges = tuple((prompts.fill("another"), _pair(question, ORDER_FREE)) for question in shown)
            return Prompt(system, prompts.fill("another"), shown=exchanges), None
        passage = self.passages[number % len(self.passages)]
        return Prompt(system, _about(passage), shown=self._grounded(number)), passage

    def reading(self, passage: Page, question: str) -> Prompt:
        """The prompt that has the model answer a question from its passage: an answer it cannot find is none."""
        system = prompts.fill("self_instruct", task=self.grounds.task.description)
        shown = tuple(
            (f"{_about(page)}\n{QUESTION} {example.question.text}", f"{ANSWER} {options.right(example.question)}")
            for example in self.grounds.examples
            if (page := self._page(example)) is not None
        )
        return Prompt(system, f"{_about(passage)}\n{QUESTION} {question}", (ANSWER,), shown[:SHOWN])

    def _page(self, example: Example) -> Page | None:
        """The page that answers a seed example."""
        gold = example.question.gold
        return self.by_title.get(gold[-1]) if gold else None

    def _grounded(self, number: int) -> tuple[tuple[str, str], ...]:
        """Seed questions whose own page answers them, as exchanges.

        A small model imitates the last one most, so each takes its turn there.
        """
        exchanges = []
        for example in self.grounds.examples:
            named = normalise(options.right(example.question)) not in ("yes", "no")
            if named and (page := self._page(example)) is not None:
                exchanges.append((_about(page), _pair(example.question, ORDER_GROUNDED)))
        turn = number % max(1, len(exchanges))
        return tuple((exchanges[turn:] + exchanges[:turn])[-SHOWN:])

    def read(self, part: str, text: str) -> str:
        """What the model wrote after a label."""
        return read_question(text) if part == QUESTION else read_answer(text, option=self.wrong > 0)

    def accept(self, unit: str, draft: Draft) -> Question:
        gold = (draft.passage.title,) if draft.passage else ()
        question = Question(unit, draft.question, draft.answer, origin="instructed", gold=gold)
        if draft.wrong:
            choices, letter = options.mixed(question, draft.wrong, seed=f"{self.grounds.seed}/{unit}")
            question = msgspec.structs.replace(question, choices=choices, answer=letter)
        self.accepted.append(question)
        self.known.append(question)
        return question

    def refusal(self, draft: Draft) -> str:
        """Why a draft is not good enough; empty when it is."""
        unfit = options.refusal(draft.answer, draft.wrong) if draft.wrong else ""
        return _malformed(draft) or unfit or _ungrounded(draft, self.titles) or self._repeated(draft)

    def _repeated(self, draft: Draft) -> str:
        said, answer = normalise(draft.question), normalise(draft.answer)
        for other in self.known:
            alike = fuzz.ratio(said, normalise(other.text))
            if alike == 100:
                return "asked before"
            # the same question about another thing, with another answer, is a new question
            elsewhere = draft.passage is not None and draft.passage.title not in other.gold
            if alike >= self.settings.similar and (not elsewhere or normalise(options.right(other)) == answer):
                return "near-duplicate"
        if any(fuzz.ratio(said, normalise(other.text)) >= self.settings.similar for other in self.grounds.held_out):
            return "in the held-out set"
        return ""


def _about(passage: Page) -> str:
    return f"{passage.title}: {passage.text}"


def _pair(question: Question, order: tuple[str, str]) -> str:
    said = {QUESTION: question.text, ANSWER: options.right(question)}
    lines = [(part, said[part]) for part in order] + [(options.WRONG, option) for option in options.wrong(question)]
    return "\n".join(f"{part} {words}" for part, words in lines)


def _malformed(draft: Draft) -> str:
    words = draft.question.split()
    if not draft.question.endswith("?"):
        return "not a question"
    if not 4 <= len(words) <= 30:
        return "question too short" if len(words) < 4 else "question too long"
    if not normalise(draft.answer):
        return "no answer"
    if len(draft.answer.split()) > 6 or len(draft.answer) > 48:
        return "answer too long"
    answer = normalise(draft.answer)
    if (answer in ("yes", "no")) != (words[0].lower() in ASKS_YES_OR_NO):
        return "answer does not fit the question"
    if answer not in ("yes", "no") and f" {answer} " in f" {normalise(draft.question)} ":
        return "answer is in the question"
    return ""


def _ungrounded(draft: Draft, titles: set[str]) -> str:
    if draft.passage is None:
        return ""
    answer, asked = normalise(draft.answer), normalise(draft.question)
    if answer not in ("yes", "no") and f" {answer} " not in f" {normalise(draft.passage.text)} ":
        return "answer is not in the passage"
    if not titles.intersection(_phrases(asked)):
        return "does not name its subject"
    if draft.again is not None and f" {answer} " not in f" {normalise(draft.again)} ":
        return "answered otherwise when asked again"
    return ""


def _phrases(text: str) -> Iterator[str]:
    """Every run of up to five words: a title that the text names is among them."""
    words = text.split()
    for start in range(len(words)):
        for end in range(start + 1, min(start + PHRASE, len(words)) + 1):
            yield " ".join(words[start:end])


def reference(questions: Sequence[Question]) -> StageScript:
    """The control: the project's reference questions take the place of self-made ones (paper, section 5)."""
    for question in questions:
        yield QuestionAccepted(question)
    yield StageProgressed(SELF_INSTRUCT, len(questions), len(questions))
