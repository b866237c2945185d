"""Reads the first sentence of an encyclopedia page, which packs several statements about its subject into one, and
later ones that say who made it.

`Mila Ada Sorrin (3 May 1912 – 9 June 1990) was a Dunish chemist` gives her full name, two years and a nationality;
`Orvane is a 1964 film directed by Tobias Wren` says who made it, `Selk is the capital of Brunia` of which country it is
the capital. Each becomes a clause with the question that it answers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from autoact.english.answer_forms import NAME, YEAR
from autoact.english.sentences import sentences
from autoact.trajectory import Page

_BRACKET = re.compile(r"\s?\(([^()]*)\)")
_LAST_BRACKET = re.compile(r" \([^()]*\)$")
_LEAD = re.compile(
    r"(?P<begin>\"?(?P<name>[^\",]{1,90}?)\"?(?P<more>(?:,| (?:better |also )?known).{0,60}?)?)"
    r"(?P<rest> (?:is|was|are|were)\b.*)"
)
_NICKNAME = re.compile(r"(?<=[a-z.] )\"[^\"]{1,20}\" (?=.{0,40}? (?:is|was)\b)")
"""A name in quotation marks within a name, as in `Edwin "Ned" Hest was`."""
_AFTER_NAME = re.compile(r"(?: (?:Jr\.|Sr\.|I{2,3}|[A-Z]{3,5}))+$")
"""What may follow a name, such as an order."""
_IN_NAMES = frozenset(["of", "the", "de", "da", "van", "von", "del", "la", "and", "in", "for", "di", "le", "der"])
"""Words in lower case that names may have."""
_COPULA = re.compile(r" (?:is|was|are|were) ")
_DAY = rf"(?:\d{{1,2}} [A-Z][a-z]+|[A-Z][a-z]+ \d{{1,2}},) ({YEAR})"
_BORN = re.compile(rf"\bborn\b.*?\b({YEAR})\b")
_LIVED = re.compile(rf"{_DAY} ?[–-] ?{_DAY}")
_EVENT = re.compile(
    r"(?:is|was|are|were) (?:[\w'-]+ )*?(?:war|battle|siege|conflict|campaign|revolt|uprising|crisis|expedition|tour|"
    r"season|exhibition|fair|festival|empire|kingdom|republic|period|show|series|programme|program|invasion|crises|airline|"
    r"blockade)s?\b"
)
"""What begins and ends on a day, but is nobody's life."""
PERSONAL = re.compile(r"(?:In \d+ )?(?:He|She|he|she|His|Her)\b")
"""The beginning of a sentence about a person."""
_NO_NATION = (
    "Christian|Republican|Anglican|Lutheran|Presbyterian|Victorian|Nazi|Jewish|Sufi|Franciscan|Puritan|"
    "Elizabethan|Shakespearean"
)
_NATIONALITY = re.compile(
    r" (?:is|was|are|were) an? (?:former |[a-z]+ed )*"
    rf"((?!{_NO_NATION})[A-Z][a-z]+(?:an|ish|ese|ch|i|ek|ss)) [a-z]"
)
_MADE = {
    "directed": "directed", "written": "wrote", "composed": "composed", "founded": "founded", "created": "created",
    "developed": "developed", "designed": "designed",
}  # fmt: skip
"""Past forms of verbs for what one maker does, by their participles."""
_WRITTEN = ("novel", "book", "short story", "novella", "play", "memoir")
_RECORDED = ("album", "song", "single", "EP", "compilation")
_DONE = ("released", "founded", "formed", "established", "published", "opened", "built", "launched")
_IS_A = (
    r" (?:is|was|are|were) (?:(?:an?|the|also|both) )?"
    r"(?:(?!(?:based|about|from|of|for|in|that|which|who|to|with|on|after|like|featuring|containing) )[^,;\s]+ )*"
)
"""What comes before a participle or noun that is about the subject itself."""
_PARTICLE = "(?:de|da|van|von|del|la) "
_MAKER = re.compile(
    rf"{_IS_A}(?P<how>{'|'.join((*_MADE, *_RECORDED, *_WRITTEN))}) by (?:the )?"
    rf"(?P<what>(?:[A-Z][\w-]+ )?(?:(?!{_PARTICLE})[a-z-]+ ){{1,4}})?"
    rf"(?P<maker>[A-Z][\w'.-]*(?: (?:{_PARTICLE})*[A-Z][\w'.-]*)*)"
    r"(?=$|[.;]|,(?! (?:[A-Z]|his |her ))| and [a-z]"
    r"| (?:in|for|on|at|from|with|that|which|who|about|released|published)\b)"
)
"""A maker, and before the name what he or she is: `the Dunish film director Tobias Wren`."""
_CAPITAL = re.compile(rf" (is|was) the capital (?:city )?(?:and largest city )?of ((?:the )?{NAME})")
_WHEN = re.compile(
    rf"(?:{_IS_A}|(?: (?!by )[^\s;]+)*, )(?P<participle>{'|'.join(_DONE)}) (?:in|on) "
    rf"[^,;]{{0,20}}?,? ?(?P<year>{YEAR})\b"
)
"""When something was made; after a comma only where no other maker stands between."""
_AGAIN = re.compile(rf"(?:It|The ({'|'.join((*_RECORDED, *_WRITTEN, 'film', 'series', 'game'))}))(?= (?:is|was) )")
"""The subject of a later sentence that may be that of the page, as in `The film was directed by Tobias Wren`."""


def _verb(how: str) -> str:
    """Returns the past form of what the maker of a thing did, by the participle or noun before `by`."""
    return "wrote" if how in _WRITTEN else _MADE.get(how, "recorded")


class LeadStatement(NamedTuple):
    """Something that a first sentence says of its subject, and the question that it answers."""

    text: str
    question: str
    """With {} for the subject."""
    source: str
    """The sentence."""


def name_pages(pages: Iterable[Page]) -> tuple[Page, ...]:
    """Returns pages without the bracket of a title such as `Muse (band)`, which questions do not repeat.

    Leaves out those whose title is then that of another page too: a question that names them could mean either.
    """
    named = [replace(page, title=_LAST_BRACKET.sub("", page.title)) for page in pages]
    counts = Counter(page.title.lower() for page in named)
    return tuple(page for page in named if counts[page.title.lower()] == 1)


def plain_sentences(page: Page) -> list[str]:
    """Returns the sentences of a page without brackets, and with its title for a longer name in the first one."""
    plain = [_drop_brackets(sentence) for sentence in sentences(page.text)]
    return [_shorten_name(plain[0], page.title), *plain[1:]] if plain else []


def _drop_brackets(sentence: str) -> str:
    if "(" not in sentence:
        return sentence
    return re.sub(r" (?=[,.;])", "", _BRACKET.sub("", _BRACKET.sub("", sentence)))


def _shorten_name(sentence: str, title: str) -> str:
    """Returns a first sentence with the title in place of the name that it begins with, if that holds the title or ends
    with the same word, or says that its subject is known as the title, and is no phrase such as `The capital of Dunia`.
    """
    lead = _LEAD.fullmatch(_NICKNAME.sub("", sentence, count=1))
    if lead is None or not title.strip() or lead["begin"].lower().removeprefix("the ") == title.lower():
        return sentence
    words = _AFTER_NAME.sub("", lead["name"]).split() or [""]
    phrase = {word for word in words if word[:1].islower()} - _IN_NAMES - set(title.split())
    holds = f" {title.lower()} " in f" {lead['name'].lower()} "
    known = re.search(rf"\b(?:as|name),? \"?{re.escape(title)}(?!\w)", lead["more"] or "", re.IGNORECASE)
    same = holds or known or words[-1].lower() == _AFTER_NAME.sub("", title).split()[-1].lower()
    return f"{title}{lead['rest']}" if same and not phrase else sentence


def list_statements(page: Page) -> Iterator[LeadStatement]:
    """Yields what the first sentence of a page says besides what its subject is, and who made the subject."""
    first, *others = sentences(page.text) or [""]
    sentence = first.rstrip(".")
    name, text = page.title, _shorten_name(_drop_brackets(sentence), page.title)
    if not text.startswith(f"{name} "):
        return
    brackets = " ".join(_BRACKET.findall(_COPULA.split(sentence, maxsplit=1)[0]))
    person = any(PERSONAL.match(one) for one in others) or not _EVENT.search(text)
    born, lived = _BORN.search(brackets), _LIVED.search(brackets) if person else None
    if years := born or lived:
        yield LeadStatement(f"{name} was born in {years[1]}", "In what year was {} born?", sentence)
    if lived:
        yield LeadStatement(f"{name} died in {lived[2]}", "In what year did {} die?", sentence)
    if years and (found := _NATIONALITY.match(text, len(name))):
        yield LeadStatement(f"The nationality of {name} is {found[1]}", "What is the nationality of {}?", sentence)
    yield from _list_makers(name, text, sentence, [_drop_brackets(other.rstrip(".")) for other in others])
    if found := _CAPITAL.match(text, len(name)):
        be, country = found.groups()
        asked = f"Of which country {be} {{}} the capital?"
        yield LeadStatement(f"{name} {be} the capital of {country}", asked, sentence)
    if found := _WHEN.match(text, len(name)):
        done = found["participle"]
        yield LeadStatement(f"{name} was {done} in {found['year']}", f"In what year was {{}} {done}?", sentence)


def _list_makers(name: str, text: str, source: str, others: list[str]) -> Iterator[LeadStatement]:
    """Yields who made the subject, as the first sentence says, or a later one that is about the subject too."""
    told = [(text, len(name), source)]
    for number, other in enumerate(others):
        again = _AGAIN.match(other)
        if again and (re.compile(rf"{_IS_A}{again[1]}\b").match(text, len(name)) if again[1] else number == 0):
            told.append((other, again.end(), other))
    makers: dict[str, LeadStatement] = {}
    for sentence, end, source in told:
        found = _MAKER.match(sentence, end)
        if found is None or (found["how"] in _WRITTEN and not found["what"]):
            continue
        verb, what = _verb(found["how"]), (found["what"] or "").split()
        band = verb == "recorded" and (not what or what[-1] in ("band", "group", "duo"))
        asked = f"{'Which band' if band else 'Who'} {verb} {{}}?"
        makers.setdefault(verb, LeadStatement(f"{found['maker']} {verb} {name}", asked, source))
    yield from makers.values()
