"""A text says that what a question asks is so or not so, or says nothing about it."""

from __future__ import annotations

import pytest

from autoact.english.statements import find_sentences, find_yes_or_no
from autoact.english.words import plain_words, stem

ORM = ("Orm", "The Orm is a long river. It rises in Harvia and ends in the Telk Sea. It has two small islands.")
TELK = ("the Telk", "The Telk is a river. It flowed north once. It cannot be sailed, and no fish live in it.")
IVA = ("Iva Holm", "Iva Holm was born in Selk and died in Dunmore. She won prizes in physics and chemistry.")
LUMA = ("Luma", "Luma is a dwarf planet. It is a former colony of Harvia.")
SELK = (
    "Selk",
    "Selk is a city in Harvia, near Brunia. It was the capital of Harvia until 1990. "
    "It beat Dunmore 3–0 and won the cup. "
    "It has a mayor. The last king died in 1912. Selk is named in many Harvian films.",
)
HOLM = (
    "Orm Holm",
    "Orm Holm is the son of a painter. He had two daughters and three sons. He had no home and died in Selk.",
)
BIRD = ("kavi", "The kavi isn't a mammal. The only birds that never fly are kavis.")


@pytest.mark.parametrize(
    ("question", "texts", "verdict"),
    [
        ("Does the Orm end in the Telk Sea?", [ORM], "yes"),
        ("Does the Orm rise in the Telk Sea?", [ORM], ""),  # another verb stands between
        ("Does the Orm have two islands?", [ORM], "yes"),
        ("Does the Orm have three islands?", [ORM], ""),
        ("Can the Telk be sailed?", [TELK], "no"),
        ("Do fish live in the Telk?", [TELK], "no"),
        ("Did the Telk flow north?", [TELK], "yes"),
        ("Was Iva Holm born in Dunmore?", [IVA], ""),
        ("Did Iva Holm die in Dunmore?", [IVA], "yes"),
        ("Did Iva Holm win a prize in chemistry?", [IVA], "yes"),
        ("Is the kavi a mammal?", [BIRD], "no"),
        ("Can the kavi fly?", [BIRD], "no"),
        ("Are the Orm and the Telk both rivers?", [ORM, TELK], "yes"),
        ("Are the Orm and the Telk both rivers?", [ORM], ""),
        ("Are the Orm and the kavi both rivers?", [ORM, BIRD], ""),
        ("Are the Orm and the kavi both mammals?", [ORM, BIRD], "no"),
        ("Are the Orm and the Telk in the same country?", [ORM, TELK], ""),
        ("Is Luma a planet?", [LUMA], ""),
        ("Is Luma a dwarf planet?", [LUMA], "yes"),
        ("Is Luma a colony of Harvia?", [LUMA], ""),
        ("Is Selk a city in Brunia?", [SELK], ""),
        ("Is Selk the capital of Harvia?", [SELK], ""),
        ("Was Selk the capital of Harvia?", [SELK], "yes"),
        ("Did Selk win the cup?", [SELK], "yes"),
        ("Does Selk have a king?", [SELK], ""),
        ("Is Selk Harvian?", [SELK], ""),
        ("Is Orm Holm a painter?", [HOLM], ""),
        ("Did Orm Holm have two sons?", [HOLM], ""),
        ("Did Orm Holm die in Selk?", [HOLM], "yes"),
        ("Are all kavis birds?", [BIRD], ""),
        ("Is the Orm no river?", [ORM], ""),
        ("Is Harvia a river?", [ORM], ""),  # the text is about something else
        ("Is the Orm?", [ORM], ""),
        ("Is the Orm a river?", [], ""),
    ],
)
def test_verdicts(question: str, texts: list[tuple[str, str]], verdict: str) -> None:
    assert find_yes_or_no(question, texts) == verdict


@pytest.mark.parametrize(
    ("need", "text", "sentences"),
    [
        ("the sea in which the Orm ends", ORM, ["It rises in Harvia and ends in the Telk Sea."]),
        ("the place where Iva Holm was born", IVA, ["Iva Holm was born in Selk and died in Dunmore."]),
        ("what Iva Holm won", IVA, ["She won prizes in physics and chemistry."]),
        ("the islands of the Orm", ORM, ["It has two small islands."]),
        ("how long the Orm is", ORM, ["The Orm is a long river."]),
        ("how long the river of which the Orm has islands is", ORM, []),
        ("the country where the Orm is", ORM, []),
        ("the name of the Orm", ORM, []),
        ("the mouth of the Orm", ORM, []),
    ],
)
def test_sentences_that_say_what_is_needed(need: str, text: tuple[str, str], sentences: list[str]) -> None:
    assert find_sentences(need, *text) == sentences


def test_forms_of_a_word_have_one_stem() -> None:
    for forms in (
        "city cities",
        "stand stands stood",
        "live lives lived living",
        "use uses used",
        "die died dies",
        "study studied",
    ):
        assert len({stem(word) for word in forms.split()}) == 1, forms
    for others in ("man many", "part party", "arm army", "read ready"):
        assert len({stem(word) for word in others.split()}) == 2, others
    assert plain_words("Ada Hest's two cats, 1,200 (no dogs)") == ["ada", "hest", "2", "cats", "1200", "0", "dogs"]
