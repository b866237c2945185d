"""The facts and the accepted questions so far, and the rules for accepting more: shares, balance, no repetition."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations

from rapidfuzz import fuzz

from autoact.events import QuestionAccepted, QuestionRefused
from autoact.metrics import normalise
from autoact.project.config import SelfInstruct
from autoact.stages.by_type.composition import (
    Composed,
    compose_comparison,
    compose_polar,
    compose_same,
    compose_two_hop,
    find_value,
    list_evidence,
    pattern_of,
)
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.facts import Fact, FactDraft
from autoact.stages.by_type.shares import TYPES, count_wanted, find_type
from autoact.stages.material import SeedMaterial
from autoact.trajectory import INSTRUCTED, Question

USES = {"one-hop": 1, "two-hop": 2, "comparison": 1, "yes-no": 1}
"""Most questions of a type that a fact is part of, while the corpus is read."""
MOST_FACTS = 2
"""Most facts that a question is composed of."""
VARIETY = (5, 2, 1)
"""A pattern may make up this part of a type's questions, one after the other if the facts allow no more variety."""


class TypedPractice:
    """The practice questions by type."""

    def __init__(self, material: SeedMaterial, settings: SelfInstruct, words: CorpusWords):
        self.material, self.settings, self.words = material, settings, words
        self.wanted = count_wanted(settings.target, settings.types, material.examples)
        self.accepted: list[Question] = []
        self.facts: list[Fact] = []
        self._texts = {normalise(example.question.text) for example in material.examples}
        self._asked: set[str] = set()
        """The questions of the facts."""
        self._tried: set[str] = set()
        self._used: Counter[tuple[str, str, str]] = Counter()
        self._patterns: Counter[tuple[str, str]] = Counter()
        self._made: Counter[str] = Counter()
        """Accepted questions by type; of yes/no questions also those about two subjects, and by answer; of comparisons
        those won by the first, and by the smaller."""
        self._random = random.Random(material.seed)

    @property
    def complete(self) -> bool:
        """Whether there are enough questions of each type."""
        return all(self._made[kind] >= self.wanted[kind] for kind in TYPES)

    def add(self, draft: FactDraft) -> str:
        """Adds the fact of a draft; returns the reason where it repeats one."""
        assert draft.fact is not None
        if draft.question in self._asked:
            return "asked before"
        self._asked.add(draft.fact.ask())
        self.facts.append(draft.fact)
        return ""

    def compose(self, variety: int = VARIETY[0], times: int = 1) -> Iterator[QuestionAccepted | QuestionRefused]:
        """Accepts questions of each type while they are wanted; facts are used up to `times` as often as USES says."""
        for kind in TYPES:
            most, uses = max(2, self.wanted[kind] // variety), times * USES[kind]
            found = self._candidates(kind, most, uses, balanced=variety > VARIETY[-1])
            for composed in found if self._wants(kind) else ():
                if not self._wants(kind):
                    break
                if self._fits(composed, most, uses):
                    yield self._judge(composed)

    def _wants(self, kind: str) -> bool:
        return self._made[kind] < self.wanted[kind] and len(self.accepted) < self.settings.target

    def fill(self) -> Iterator[QuestionAccepted | QuestionRefused]:
        """Accepts more questions of the same facts, with less variety, then of other types, until there are enough."""
        for variety in VARIETY[1:]:
            yield from self.compose(variety, times=2 if variety > 1 else 4)
        for place, kind in enumerate(reversed(TYPES)):
            missing = max(0, self.settings.target - len(self.accepted))
            self.wanted[kind] = self._made[kind] + -(-missing // (len(TYPES) - place))
            yield from self.compose(1, times=4)

    # -- candidates ----------------------------------------------------------------------------------------------------

    def _candidates(self, kind: str, most: int, uses: int, *, balanced: bool) -> Iterator[Composed]:
        """Yields questions of the facts that are not used up, and whose patterns are not, each of which may fit.

        In a large corpus most facts share a few patterns, and all pairs of those would be tried in every round.
        """
        facts = self._random.sample(self.facts, len(self.facts))
        facts = [
            fact
            for fact in facts
            if self._uses(kind, fact) < uses and self._patterns[kind, fact.template] < most * MOST_FACTS
        ]
        match kind:
            case "one-hop":
                asking = (fact for fact in facts if fact.form.kind != "introduction")
                yield from (Composed("one-hop", fact.ask(), fact.answer, (fact,)) for fact in asking)
            case "two-hop":
                yield from self._two_hop(facts)
            case "comparison":
                yield from self._comparisons(facts)
            case _:
                yield from self._yes_or_no(facts, balanced=balanced)

    def _two_hop(self, facts: list[Fact]) -> Iterator[Composed]:
        by_page = defaultdict(list)
        for fact in facts:
            by_page[fact.page].append(fact)
        for first in facts:
            page = self.words.page(first.answer)
            for second in by_page[page.title] if page else ():
                if composed := compose_two_hop(first, second, self.words):
                    yield composed

    def _comparisons(self, facts: list[Fact]) -> Iterator[Composed]:
        for one, other in self._pairs([fact for fact in facts if find_value(fact) is not None]):
            least, winner_first = (self._is_rare(part, "comparison") for part in ("least", "first"))
            if composed := compose_comparison(one, other, self.words, least=least, winner_first=winner_first):
                before = self._made["comparison"]
                yield composed
                if self._made["comparison"] > before:
                    self._made.update(least=int(least), first=int(winner_first))

    def _yes_or_no(self, facts: list[Fact], *, balanced: bool) -> Iterator[Composed]:
        """Yields questions about two facts while those are fewer than half, else about one; if not `balanced`, both.

        Their answer is the scarcer one of those about as many facts, so that the number of facts does not tell it.
        """
        alike, pairs = self._pairs(facts, alike=True), self._pairs(facts)
        for fact in facts:
            first = self._is_rare("about two", "yes-no")
            for about_two in (first,) if balanced else (first, not first):
                answer = self._scarcer(about_two=about_two)
                composed: Iterable[Composed] = () if about_two else self._polar(fact)
                if about_two and (pair := next(alike if answer == "yes" else pairs, None)):
                    composed = compose_same(*pair, self.words)
                yield from (one for one in composed if one.answer == answer)

    def _is_rare(self, part: str, kind: str) -> bool:
        """Returns whether fewer than half of a type's questions are of a part; for exactly half, true or false."""
        surplus = 2 * self._made[part] - self._made[kind]
        return surplus < 0 or (surplus == 0 and self._random.random() < 0.5)

    def _scarcer(self, *, about_two: bool) -> str:
        """Returns the answer that fewer of the questions about two facts, or about one, have."""
        return min(
            "yes", "no", key=lambda answer: (self._made[_answer_part(answer, about_two=about_two)], self._made[answer])
        )

    def _polar(self, fact: Fact) -> Iterator[Composed]:
        others = [one for one in self.facts if pattern_of(one) == pattern_of(fact) and one.page != fact.page]
        if not others and fact.form.kind in ("year", "place", "where", "amount"):
            others = [one for one in self.facts if one.form.kind == fact.form.kind and one.form.noun == fact.form.noun]
        for stated in (fact, *self._random.sample(others, min(2, len(others)))):
            if composed := compose_polar(fact, stated, self.words):
                yield composed

    def _pairs(self, facts: list[Fact], *, alike: bool = False) -> Iterator[tuple[Fact, Fact]]:
        """Yields pairs of facts that can be compared, each pattern in turn; only pairs with one answer if `alike`."""
        groups = defaultdict(list)
        for fact in facts:
            groups[pattern_of(fact), normalise(fact.answer) if alike else ""].append(fact)
        turns = [combinations(group, 2) for group in groups.values()]
        while turns:
            pairs = [next(turn, None) for turn in turns]
            yield from filter(None, pairs)
            turns = [turn for turn, pair in zip(turns, pairs, strict=True) if pair]

    # -- rules ---------------------------------------------------------------------------------------------------------

    def _fits(self, composed: Composed, most: int, uses: int) -> bool:
        """Returns whether a question adds variety, and has not been judged before."""
        if composed.text in self._tried:
            return False
        if any(self._uses(composed.type, fact) >= uses for fact in composed.facts):
            return False
        return all(self._patterns[composed.type, fact.template] < most * len(composed.facts) for fact in composed.facts)

    def _judge(self, composed: Composed) -> QuestionAccepted | QuestionRefused:
        self._tried.add(composed.text)
        refusal = self._find_repetition(composed)
        if refusal:
            return QuestionRefused(f"composed-{len(self._tried):04d}", composed.text, refusal, composed.answer)
        name, evidence = f"{composed.type}-{len(self.accepted):04d}", list_evidence(composed, self.words)
        question = Question(
            name, composed.text, composed.answer, INSTRUCTED, type=composed.type, gold=composed.gold,
            evidence=evidence,
        )  # fmt: skip
        self.accepted.append(question)
        self._made[composed.type] += 1
        if composed.type == "yes-no":
            about_two = len(composed.gold) > 1
            parts = (composed.answer, _answer_part(composed.answer, about_two=about_two))
            self._made.update([*parts, *(["about two"] if about_two else [])])
        for fact in composed.facts:
            self._used[composed.type, fact.page, fact.template] += 1
            self._patterns[composed.type, fact.template] += 1
        return QuestionAccepted(question)

    def _uses(self, kind: str, fact: Fact) -> int:
        return self._used[kind, fact.page, fact.template]

    def _find_repetition(self, composed: Composed) -> str:
        again = composed.type in ("one-hop", "two-hop")  # a pair may be compared in two ways with one answer
        if normalise(composed.text) in self._texts or any(
            self._alike(composed, other) or (again and _asks_the_same(composed, other)) for other in self.accepted
        ):
            return "near-duplicate"
        if any(self._alike(composed, other) or _asks_the_same(composed, other) for other in self.material.held_out):
            return "in the held-out set"
        return ""

    def _alike(self, composed: Composed, other: Question) -> bool:
        """Returns whether two questions have nearly the same words; about other pages only if they are the same."""
        alike = fuzz.ratio(normalise(composed.text), normalise(other.text))
        about_others = bool(other.gold) and set(other.gold) != set(composed.gold)
        return alike == 100 or (alike >= self.settings.similar and not about_others)


def _answer_part(answer: str, *, about_two: bool) -> str:
    """Returns the name of the yes/no questions with an answer, about two subjects or about one."""
    return f"{answer} about {'two' if about_two else 'one'}"


def _asks_the_same(composed: Composed, other: Question) -> bool:
    """Returns whether two questions of a type have the same answer from the same pages, whatever their words.

    For comparisons the pages suffice: which is deeper is the same question as which is less deep.
    """
    if composed.type != find_type(other) or set(composed.gold) != set(other.gold):
        return False
    answer = normalise(composed.answer)
    same_answer = answer not in ("yes", "no") and answer == normalise(other.answer or "")
    return same_answer or composed.type == "comparison"
