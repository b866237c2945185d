"""Patterns of English phrases, and the search for a statement in a clause."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autoact.english.answer_forms import AMOUNT, NAME, NUMBER, word_set
from autoact.english.verbs import inflect
from autoact.stages.by_type.clauses import SLOT

FILLERS = r"(?:(?:the|a|an|also|later|then|about|once|now|still|often|usually|mainly|well) )*"
"""Words that a question may leave out."""
BOUNDARY = (
    r"(?=$|[,.;]| (?:in|on|at|near|by|from|to|for|of|with|and|or|but|who|which|that|when|where|while|after|before|"
    r"until|since|as|because|into|through|above|below|under|during|every|each|is|was)\b)"
)
ARTICLE = r"(?P<article>the |a |an )?"
_NO_NOUN = word_set(
    "the a an is are was were be been and or not no very too so how what when why where who that this these those in "
    "on at by to for from with into about than as more most less many much any each every other such only there here "
    "made known called named also its his her their it he she they them him one all both because"
)
"""Words that are not part of a noun of one to three words."""
_NOUN_WORD = rf"(?!(?:{'|'.join(sorted(_NO_NOUN))})\b)[a-z][\w'-]+"
_WORDS = rf"{_NOUN_WORD}(?: {_NOUN_WORD}){{0,2}}"
ANSWER = rf"(?P<answer>{NAME}|{AMOUNT}|{NUMBER}|{_WORDS})"
SUBORDINATE = re.compile(r"\b(?:who|which|that|when|where|while|after|before|because|and|but|until)\b|;")
_ENDS_IN_LIST = re.compile(
    r"(?:, [\w' -]{1,40})+,? (?:and|or) |,? (?:and|or) (?!(?:is|are|was|were|has|had|can)\b|[a-z]+(?:ed|s) )"
)
"""The rest of a list; what follows `and` may also be another verb, as in `stands in Brunia and belongs to Harvia`."""
ONLY_ONE_DOES = word_set(
    "discovered invented wrote painted composed designed founded built created developed patented carved named made "
    "directed recorded introduced drew gave proposed began started united conquered"
)
"""Verbs for what one person does, so that the question `who did it` has one answer."""
WORKS = {
    "wrote": "novel|book|play|poem|story|tragedy|comedy|diary|epic", "painted": "painting|picture|portrait|fresco",
    "composed": "opera|symphony|ballet|song|piece", "directed": "film|movie",
}  # fmt: skip
"""Nouns for what is made in this way."""
LINKING = word_set("become became becomes remain remained remains look looked looks turn turned turns grow grew grows")
"""Verbs that an adjective may follow."""
SAME_ADJECTIVE = {"tall": "high", "high": "tall"}


def says(clause: str, statement: str) -> re.Match[str] | None:
    """Returns where a clause has the words of a statement, one after the other but for small words."""
    return re.search(rf"(?<![\w-]){words_pattern(statement)}", clause, re.IGNORECASE)


def words_pattern(statement: str) -> str:
    words = [re.escape(word) for word in statement.split() if word not in ("the", "a", "an")]
    return rf"{f' {FILLERS}'.join(words)}(?![\w-])"


def find_statement(auxiliary: str, rest: str, clause: str) -> tuple[str, re.Match[str]] | None:
    """Returns the question's words as a statement that the clause has, and where; None when it has none."""
    for statement in _statements(auxiliary, rest):
        if SLOT in statement and (match := says(clause, statement)):
            return statement, match
    return None


def _statements(auxiliary: str, rest: str) -> Iterator[str]:
    """Yields the statements that a question may come from, one for each word that may end its subject."""
    words = rest.split()
    for at in range(1, len(words) + 1):
        subject, predicate = " ".join(words[:at]), words[at:]
        if auxiliary in ("did", "does", "do"):
            for verb in inflect(predicate[0], auxiliary) if predicate else ():
                yield " ".join((subject, verb, *predicate[1:]))
        else:
            yield " ".join((subject, auxiliary, *predicate))


def in_list(text: str, answer: re.Match[str]) -> bool:
    """Returns whether an answer is one of several that are joined by `and` or `or`."""
    after, before = text[answer.end("answer") :], text[: answer.start("answer")]
    return bool(_ENDS_IN_LIST.match(after) or re.search(r"\b(?:and|or) (?:the )?$", before))


def content_words(phrase: str) -> set[str]:
    """Returns the words of a noun phrase without articles and prepositions."""
    words = re.sub(r"\{\}'s?", SLOT, phrase).replace(",", "").lower().split()
    return {word for word in words if word not in ("the", "a", "an", "of", "in", "for", "on", "at", "name", "its")}
