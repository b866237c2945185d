"""Finds signs that an answer is wrong, without a gold answer, and values in thoughts that no page says."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from autoact import scratchpad
from autoact.english.answer_forms import NAME, find_answers, find_kind
from autoact.english.statements import find_sentences, find_yes_or_no
from autoact.english.verbs import AUXILIARIES, PAST
from autoact.english.words import SMALL_WORDS, plain_words
from autoact.metrics import normalise
from autoact.trajectory import FINISH, REFLECT, Question, Step

REPEATED = 2.0
"""What a tool call made twice adds to the log-odds of *wrong*."""
BRIEF = 5
"""Most words of an answer that should be in what was read; a longer one may say it in its own words."""
FOUND, CONCLUSION = "I found ", ", so the answer is "
"""How a thought begins that found a value, and what goes before an answer at its end, as `stages.from_facts` writes."""
_SAID = {"yes": "What was read says that it is so", "no": "What was read says that it is not so"}
SPAN, READINGS = 4, 500
"""Most words of a value on a page that may take the place of one copied from the question, and most such values."""
_WHICH = r"(?:who|whom|whose|what|which|when|where|how)"
_HAS_WHICH = re.compile(rf"\b{_WHICH}\b", re.IGNORECASE)
_BEFORE = r"(?:in|on|at|to|from|for|by|of|with|near|after|under|and)"
_ASKS_WHICH = re.compile(rf"(?:{_BEFORE} )?{_WHICH}\b", re.IGNORECASE)
_AUXILIARY = rf"(?:{'|'.join(sorted(AUXILIARIES))})\b"
_ASKS_WHICH_LATER = re.compile(
    rf"\b(?:what|how|whose|whom)\b|\bwhich (?!{_AUXILIARY})\w|\b{_BEFORE} {_WHICH}\b|\b{_WHICH} ?\?", re.IGNORECASE
)
"""A question word that asks, as in `Pluto is a planet found in which year?`; none that begins a relative clause, as in
`The man who found Pluto ...`."""
_ASKS_WHETHER = re.compile(rf"[,.;:] (?:and )?{_AUXILIARY}", re.IGNORECASE)
"""A later clause that begins with an auxiliary verb, as in `Pluto and Ceres, are both planets?`."""
_ASKS_YEAR = re.compile(r"\b(?:what|which) year\b(?!-)", re.IGNORECASE)
_ASKS_SPAN = re.compile(r"\bhow (?:old|many years)\b|\b(?:older|apart|difference|total|together)\b", re.IGNORECASE)
"""What asks for a number that is computed, and stands on no page."""
_ASKS_NUMBER = re.compile(r"(?:^[Hh]|(?<= )h)ow (?:many|tall|high|deep|wide|heavy)\b")
_NUMBER = re.compile(
    r"\d|\b(?:zero|no|none|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|"
    r"sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|pair|several|half|"
    r"once|twice|never|both|all|couple|trio|quartet)\b",
    re.IGNORECASE,
)
_NEEDS_NUMBER = re.compile(r"the year |how (?:many|tall|high|long|deep|wide|old|heavy) ", re.IGNORECASE)
_COMPARES = re.compile(
    r"\b(?:first|last|more|most|less|least|better|best|(?:old|young|new|earli|lat|larg|small|bigg|great|tall|short|long|high|"
    r"low|deep|wid|narrow|heavi|light|fast|slow|near|clos|few)(?:er|est))\b",
    re.IGNORECASE,
)
"""Words that compare: two alternatives follow."""
_VERBS = frozenset((*AUXILIARIES, *PAST, *PAST.values()))
_MAY_REPEAT = re.compile(r"\bor\b|\b(?:which|who|one) of\b|\bbetween\b|\b(?:sport|language|colou?r)\b", re.IGNORECASE)
"""What allows an answer to be a word of the question, as in `What sport does the football team play?`."""
_CHOOSES = re.compile(r"(?:which|who) of\b|between\b", re.IGNORECASE)
"""Begins a question that offers its answers, so that a right one need not have been read."""
_FOUND = re.compile(
    rf"{FOUND}(?P<need>[^:]+): (?P<value>[^:]+?)(?P<answer>{CONCLUSION}[^:]+?)?(?:[.:](?: |$)|$)", re.IGNORECASE
)
"""What a thought found; a second colon follows where a small model repeats the need as its value."""
_CLAUSE_END = re.compile(r"[.,;:!?()\"](?:\s|$)|\b(?:is|are|was|were|be|has|have|had|who|which|that)\b", re.IGNORECASE)


def find_answer_defect(question: Question, answer: str, steps: Iterable[Step]) -> str:
    """Returns a sign, as a sentence, that an answer to an English question is wrong; empty if there is none.

    Of 59 such answers among 720 (three seeds of the full preset) none was right.
    """
    asked, words = question.text.strip(), normalise(answer)
    polar = scratchpad.asks_yes_or_no(asked)
    if question.choices or question.played or not words or not (polar or _HAS_WHICH.search(asked)):
        return ""
    if polar:
        return _find_polar_defect(asked, words, steps)
    if words in ("yes", "no"):
        which = _ASKS_WHICH.match(asked) or (_ASKS_WHICH_LATER.search(asked) and not _ASKS_WHETHER.search(asked))
        return "The question does not ask for yes or no." if which else ""
    if alternatives := read_alternatives(asked):
        fits = any(f" {normalise(one)}".endswith(f" {words}") for one in alternatives)
        return "" if fits else f"The answer is neither {alternatives[0]} nor {alternatives[1]}."
    if _ASKS_YEAR.search(asked) and not re.search(r"\d", answer):
        return "The question asks for a year."
    if _ASKS_NUMBER.search(asked) and not _NUMBER.search(answer):
        return "The question asks for a number."
    if not _MAY_REPEAT.search(asked) and _stands_in(words, asked):
        return f"{answer} stands in the question."
    computed = question.scorer == "number" or (_ASKS_SPAN.search(asked) and _NUMBER.search(answer))
    copied = not computed and len(words.split()) <= BRIEF
    seen = plain_words(" ".join(read_texts(steps))) if copied else []
    known = {*seen, *(plain_words(asked) if _CHOOSES.match(asked) else ())}
    return f"Nothing that was read says {answer}." if seen and not set(plain_words(answer)) <= known else ""


def _find_polar_defect(question: str, answer: str, steps: Iterable[Step]) -> str:
    if answer not in ("yes", "no"):
        return "The question asks for yes or no."
    said = find_yes_or_no(question, [(step.argument, step.observation) for step in _list_calls(steps)])
    return f"{_SAID[said]}." if said not in ("", answer) else ""


def _stands_in(words: str, question: str) -> bool:
    """Returns whether a question has these words, and not as a part of a longer name."""
    names = (normalise(name) for name in re.findall(NAME, question))
    part = any(f" {words} " in f" {name} " and words != name for name in names)
    return not part and f" {words} " in f" {normalise(question)} "


def read_alternatives(question: str) -> tuple[str, ...]:
    """Returns the two answers that a question such as `Which is longer, the Nile or the Rhine?` offers, else none."""
    found = re.fullmatch(r"([^,]*), (?:the )?([^,?]+?),? or (?:the )?([^,?]+?) ?\?", question.strip(), re.IGNORECASE)
    if found is None:
        return ()
    begin, *offered = found.groups()
    named = all(one[0].isupper() and _VERBS.isdisjoint(one.split()) for one in offered)
    return tuple(offered) if (named or _COMPARES.search(begin)) and not any(map(_ASKS_WHICH.match, offered)) else ()


def list_candidates(question: Question, given: Sequence[str], steps: Iterable[Step]) -> list[str]:
    """Returns what may be the answer in place of those `given`: what the question offers, else what was read.

    Of two alternatives it is the one that shares words with the last of `given`, if only one does. What was read is of
    the kind that is asked for, where the question says so, and no part of the question.
    """
    known, asked = {normalise(one) for one in given}, f" {normalise(question.text)} "
    if scratchpad.asks_yes_or_no(question.text):
        return [one for one in _SAID if one not in known]
    if alternatives := read_alternatives(question.text):
        meant = set(normalise(given[-1]).split())
        near = [one for one in alternatives if meant & set(normalise(one).split())]
        return near if len(near) == 1 else list(alternatives)
    kinds = _kinds_asked(question.text)
    return [
        one
        for one in find_answers(" ".join(read_texts(steps)), "")
        if find_kind(one) in kinds and normalise(one) not in known and f" {normalise(one)} " not in asked
    ]


def _kinds_asked(question: str) -> tuple[str, ...]:
    if _ASKS_YEAR.search(question):
        return ("year",)
    if _ASKS_NUMBER.search(question):
        return ("amount", "number")
    return ("name",) if re.search(r"\b(?:who|whom|where|which)\b", question, re.IGNORECASE) else ("name", "noun")


def reword(thought: str, answer: str, others: Collection[str]) -> tuple[str, ...]:
    """Returns a thought that ends with an answer, such as `I found ...: Lima, so the answer is Lima.`, for others.

    In place of *yes* or *no*, which need not follow from the thought, it is what was read. Returns none if the thought
    does not end so.
    """
    if normalise(answer) in _SAID and set(others) <= set(_SAID):
        return tuple(f" {_SAID[one]}{CONCLUSION}{one}." for one in others)
    found = re.fullmatch(rf"(.*: ){re.escape(answer)}(, .*){re.escape(answer)}\.?", thought.strip(), re.IGNORECASE)
    return tuple(f" {found[1]}{one}{found[2]}{one}." for one in others) if found else ()


def find_readings(thought: str, question: str, steps: Sequence[Step]) -> tuple[str, ...]:
    """Returns other first sentences for a thought `I found NEED: VALUE.` whose value the last page does not say.

    The value counts as unsaid if the question has its words and no page that was read does, or if sentences of the
    last page have all words of the need and none of these has the value; the latter not for yes/no questions, which
    often need what only follows from a page. Each sentence returned has another value, from the page or from those
    sentences, also as the answer where the thought goes on to one.
    """
    found = _FOUND.match(thought)
    if found is None or not steps or steps[-1].failed or steps[-1].action in (FINISH, REFLECT):
        return ()
    page, told = steps[-1].observation, found["value"].lower()
    value, asked = (set(plain_words(text)) for text in (told, question))
    copied = all(word in asked or f"{word}s" in asked for word in value)  # `a moon` of a question about moons
    saying = find_sentences(found["need"], steps[-1].argument, page)
    if _NEEDS_NUMBER.match(found["need"]):
        saying = [one for one in saying if _NUMBER.search(one)]
    said = any(value <= set(plain_words(one)) or told in one.lower() for one in saying)  # `1840` in `the 1840s`
    if copied and not value <= set(plain_words(" ".join(read_texts(steps)))):
        source = page
    elif saying and not said and not scratchpad.asks_yes_or_no(question):
        source = " ".join(saying)
    else:
        return ()
    begin, answers = f" {FOUND}{found['need']}: ", found["answer"] is not None
    spans = list(islice(_spans(source), READINGS))
    if _NEEDS_NUMBER.match(found["need"]):
        spans = [one for one in spans if _NUMBER.search(one)] or spans
    needed = set(plain_words(found["need"]))
    spans = [one for one in spans if not set(plain_words(one)) <= needed]
    return tuple(f"{begin}{one}{f'{CONCLUSION}{one}' if answers else ''}." for one in spans)


def _spans(text: str) -> dict[str, None]:
    """Returns the runs of up to SPAN words within a clause that begin and end with none of SMALL_WORDS."""
    clauses = (clause.split() for clause in _CLAUSE_END.split(text))
    runs = (words[at:end] for words in clauses for at in range(len(words)) for end in range(at + 1, at + SPAN + 1))
    return {" ".join(run): None for run in runs if run and not {run[0].lower(), run[-1].lower()} & SMALL_WORDS}


def read_texts(steps: Iterable[Step]) -> Iterator[str]:
    """Yields what tools answered, without calls that failed."""
    return (step.observation for step in _list_calls(steps))


def _list_calls(steps: Iterable[Step]) -> list[Step]:
    """Returns the steps that called a tool, without calls that failed."""
    return [step for step in steps if step.action not in (FINISH, REFLECT) and not step.failed]


def repeats_call(steps: Sequence[Step]) -> bool:
    """Returns whether a tool was called with the same argument twice since the last verdict."""
    begin = 1 + max((at for at, step in enumerate(steps) if step.action == REFLECT), default=-1)
    calls = [(step.action, normalise(step.argument)) for step in steps[begin:] if step.action != FINISH]
    return len(set(calls)) < len(calls)
