"""Stage 1: writes practice questions from a few seed examples; refuses near-duplicates and nonsense with a reason.

Paper, section 3.2. With a corpus every question is about one passage; without one it is written after the model of the
seeds and of the questions accepted so far, as in the published code.

Projects with a corpus compose questions of each type instead, by autoact/stages/by_type, unless `by_type` is off, and
write freely only those that are then missing. Environments that make tasks, such as games, do so: practice_tasks.py.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from itertools import islice

import msgspec
from msgspec import Struct
from rapidfuzz import fuzz

from autoact import prompts, scratchpad
from autoact.events import QuestionAccepted, QuestionRefused, StageProgressed
from autoact.metrics import normalise
from autoact.project.config import SelfInstruct
from autoact.registry.stages import SELF_INSTRUCT
from autoact.script import Answer, Ask, Prompt, Round, Sampling, StageScript, Unit
from autoact.stages import options
from autoact.stages.by_type.stage import instruct_by_type
from autoact.stages.context import StageContext
from autoact.stages.draft_text import NAME_OR_NUMBER, read_answer, read_question
from autoact.stages.material import SeedMaterial
from autoact.stages.practice_tasks import make_tasks
from autoact.trajectory import INSTRUCTED, Example, Page, Question

QUESTION, ANSWER = "Question:", "Answer:"
ORDER_GROUNDED, ORDER_FREE = (ANSWER, QUESTION), (QUESTION, ANSWER)
LIMITS = {QUESTION: 40, ANSWER: 16, options.WRONG: 16}
"""Most new tokens of each part."""
LINE = ("\n",)
STOPS = {QUESTION: ("\n\n", f"\n{ANSWER}", f"\n**{ANSWER}")}
"""Texts that end a part; a question may span several lines."""
TRIES = 20
"""Most tries for each question to be written, without a corpus."""
SHOWN = 3
"""Examples shown in each prompt."""
LONGEST = 500
"""Most characters of a refused question, and of its answer, in the log."""
PHRASE = 5
"""Words of the longest title that is searched for in a question."""


class Draft(Struct, frozen=True):
    """A question and its answer as the model wrote them, not yet judged."""

    question: str
    answer: str
    passage: Page | None
    again: str | None = None
    """The model's answer when it is given the passage and the question; None when it was not asked again."""
    wrong: tuple[str, ...] = ()
    """The other options of a multiple-choice question."""


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage, or the control that accepts the reference questions instead, and the number of questions."""
    config, inputs = context.config, context.inputs
    if config.synthesis.questions == "reference":
        return accept_reference(inputs.reference), len(inputs.reference)
    material = SeedMaterial(config.task, inputs.examples, inputs.passages, inputs.held_out, config.model.seed)
    settings = config.self_instruct
    if inputs.make_task:
        return make_tasks(inputs.make_task, material, settings), settings.target
    if settings.by_type and material.passages and config.task.answer == "short":
        return compose_or_write(material, settings), settings.target
    return self_instruct(material, settings), settings.target


def compose_or_write(material: SeedMaterial, settings: SelfInstruct) -> StageScript:
    """Composes questions by type; writes freely those that are missing, as with texts that the rules cannot read."""
    made = yield from instruct_by_type(material, settings)
    if len(made) < settings.target:
        yield from self_instruct(material, settings, made)


def self_instruct(material: SeedMaterial, settings: SelfInstruct, made: Sequence[Question] = ()) -> StageScript:
    """Plays rounds of drafts until the target is reached, the passages are used up, or no draft is accepted.

    `made` are questions that count towards the target and are not to be repeated.
    """
    practice = PracticeSet(material, settings, made)
    numbers = iter(range(settings.passes * len(material.passages) or TRIES * settings.target))
    stalled = 0
    while len(practice.accepted) < settings.target and stalled < settings.stall:
        batch = list(islice(numbers, settings.round))
        if not batch:
            return
        units = [Unit(f"q-{number:04d}", partial(write_draft, practice, number)) for number in batch]
        before = len(practice.accepted)
        for unit, written in zip(units, (yield Round(units)), strict=True):
            if written is None or len(practice.accepted) >= settings.target:
                continue
            refusal = practice.refusal(written)
            if refusal:
                yield QuestionRefused(unit.name, written.question[:LONGEST], refusal, written.answer[:LONGEST])
            else:
                yield QuestionAccepted(practice.accept(unit.name, written))
        stalled = 0 if len(practice.accepted) > before else stalled + 1
        yield StageProgressed(SELF_INSTRUCT, len(practice.accepted), settings.target)


def write_draft(practice: PracticeSet, number: int) -> Generator[Ask, Answer, Draft]:
    """Writes one draft: about a passage, first the answer and then a question; without one, first the question.

    A small model that is asked to answer its own question writes sentences; it chooses well among the names and numbers
    of a passage.
    """
    prompt, passage = practice.prompt(number)
    sampling = Sampling(practice.settings.temperature, practice.settings.top_p)
    parts: dict[str, list[str]] = {QUESTION: [], ANSWER: [], options.WRONG: []}
    for part in (*(ORDER_GROUNDED if passage else ORDER_FREE), *[options.WRONG] * practice.wrong):
        prompt = prompt.then(part)
        choices = find_candidates(passage) if passage and part == ANSWER else ()
        reply = yield Ask(
            "meta", "text", prompt, limit=LIMITS[part], sampling=sampling, choices=choices, stop=STOPS.get(part, LINE)
        )
        parts[part].append(reply.text.strip() if choices else practice.read(part, reply.text))
        prompt = prompt.then(f" {parts[part][-1]}", "\n")
    draft = Draft(parts[QUESTION][0], parts[ANSWER][0].rstrip("."), passage, wrong=tuple(parts[options.WRONG]))
    if passage is None:
        return draft
    again = yield Ask("meta", "text", practice.answer_prompt(passage, draft.question), limit=LIMITS[ANSWER])
    return msgspec.structs.replace(draft, again=again.text)


def find_candidates(passage: Page) -> tuple[str, ...]:
    """Returns possible answers in a passage, as choices of an Ask: its names and numbers, but not its title."""
    title = set(normalise(passage.title).split())
    found = dict.fromkeys(match.strip() for match in NAME_OR_NUMBER.findall(passage.text))
    return tuple(f" {name}" for name in found if not title & set(normalise(name).split()))


class PracticeSet:
    """The questions accepted so far, and the rules for accepting more."""

    def __init__(self, material: SeedMaterial, settings: SelfInstruct, made: Sequence[Question] = ()):
        self.material, self.settings = material, settings
        self.accepted = list(made)
        self.known = [*(example.question for example in material.examples), *made]
        self.wrong = options.count_wrong_options(material.task, material.examples)
        order = random.Random(material.seed)
        self.passages = order.sample(material.passages, len(material.passages))
        self.by_title = {passage.title: passage for passage in material.passages}
        self.titles = {normalise(title) for title in self.by_title}

    def prompt(self, number: int) -> tuple[Prompt, Page | None]:
        """Returns the prompt of draft `number`, and the passage that it is about."""
        system = prompts.fill("self_instruct", task=self.material.task.description)
        if not self.passages:
            shown = random.Random(f"{self.material.seed}/{number}").sample(self.known, min(SHOWN, len(self.known)))
            exchanges = tuple(
                (prompts.fill("another"), _question_and_answer(question, ORDER_FREE)) for question in shown
            )
            return Prompt(system, prompts.fill("another"), shown=exchanges), None
        passage = self.passages[number % len(self.passages)]
        return Prompt(system, _passage_text(passage), shown=self._grounded_examples(number)), passage

    def answer_prompt(self, passage: Page, question: str) -> Prompt:
        """Returns the prompt that asks the model to answer a question from its passage."""
        system = prompts.fill("self_instruct", task=self.material.task.description)
        shown = tuple(
            (
                f"{_passage_text(page)}\n{QUESTION} {example.question.text}",
                f"{ANSWER} {options.right_answer(example.question)}",
            )
            for example in self.material.examples
            if (page := self._page(example)) is not None
        )
        return Prompt(system, f"{_passage_text(passage)}\n{QUESTION} {question}", (ANSWER,), shown[:SHOWN])

    def _page(self, example: Example) -> Page | None:
        """Returns the page that answers a seed example; None when the corpus has none."""
        gold = example.question.gold
        return self.by_title.get(gold[-1]) if gold else None

    def _grounded_examples(self, number: int) -> tuple[tuple[str, str], ...]:
        """Returns seed questions with the page that answers them, as exchanges.

        A small model imitates the last one most, so each of them comes last in turn.
        """
        exchanges = []
        for example in self.material.examples:
            named = normalise(options.right_answer(example.question)) not in ("yes", "no")
            if named and (page := self._page(example)) is not None:
                exchanges.append((_passage_text(page), _question_and_answer(example.question, ORDER_GROUNDED)))
        turn = number % max(1, len(exchanges))
        return tuple((exchanges[turn:] + exchanges[:turn])[-SHOWN:])

    def read(self, part: str, text: str) -> str:
        """Returns the question or answer in the text that the model wrote after a label."""
        return read_question(text) if part == QUESTION else read_answer(text, option=self.wrong > 0)

    def accept(self, unit: str, draft: Draft) -> Question:
        """Adds a draft to the practice set and returns its question."""
        gold = (draft.passage.title,) if draft.passage else ()
        question = Question(unit, draft.question, draft.answer, origin=INSTRUCTED, gold=gold)
        if draft.wrong:
            choices, letter = options.shuffle_options(question, draft.wrong, seed=f"{self.material.seed}/{unit}")
            question = msgspec.structs.replace(question, choices=choices, answer=letter)
        self.accepted.append(question)
        self.known.append(question)
        return question

    def refusal(self, draft: Draft) -> str:
        """Returns the reason to refuse a draft; empty when there is none."""
        unfit = options.find_defect(draft.answer, draft.wrong) if draft.wrong else ""
        return (
            _find_form_defect(draft)
            or unfit
            or _find_grounding_defect(draft, self.titles)
            or self._find_repetition(draft)
        )

    def _find_repetition(self, draft: Draft) -> str:
        text, answer = normalise(draft.question), normalise(draft.answer)
        for other in self.known:
            alike = fuzz.ratio(text, normalise(other.text))
            if alike == 100:
                return "asked before"
            # the same question about another subject, with another answer, is a new question
            other_subject = draft.passage is not None and draft.passage.title not in other.gold
            if alike >= self.settings.similar and (
                not other_subject or normalise(options.right_answer(other)) == answer
            ):
                return "near-duplicate"
        if any(fuzz.ratio(text, normalise(other.text)) >= self.settings.similar for other in self.material.held_out):
            return "in the held-out set"
        return ""


def _passage_text(passage: Page) -> str:
    return f"{passage.title}: {passage.text}"


def _question_and_answer(question: Question, order: tuple[str, str]) -> str:
    texts = {QUESTION: question.text, ANSWER: options.right_answer(question)}
    lines = [(part, texts[part]) for part in order] + [
        (options.WRONG, option) for option in options.wrong_options(question)
    ]
    return "\n".join(f"{part} {words}" for part, words in lines)


def _find_form_defect(draft: Draft) -> str:
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
    if (answer in ("yes", "no")) != scratchpad.asks_yes_or_no(draft.question):
        return "answer does not fit the question"
    if answer not in ("yes", "no") and f" {answer} " in f" {normalise(draft.question)} ":
        return "answer is in the question"
    return ""


def _find_grounding_defect(draft: Draft, titles: set[str]) -> str:
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
    """Yields every run of up to PHRASE words; a title in the text is one of them."""
    words = text.split()
    for start in range(len(words)):
        for end in range(start + 1, min(start + PHRASE, len(words)) + 1):
            yield " ".join(words[start:end])


def accept_reference(questions: Sequence[Question]) -> StageScript:
    """Accepts the project's reference questions in place of written ones: the control of the paper's section 5."""
    for question in questions:
        yield QuestionAccepted(question)
    yield StageProgressed(SELF_INSTRUCT, len(questions), len(questions))
