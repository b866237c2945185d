"""Titles are found by what is nearly their name, and only where nothing else may be meant."""

from __future__ import annotations

import random
import runpy
from pathlib import Path

import pytest

from autoact.tools.pages.page_files import read_paragraphs
from autoact.tools.pages.title_search import Titles, fold

MISSPELLING = runpy.run_path(str(Path(__file__).with_name("misspelling.py")))
misspelt, SHORTEST = MISSPELLING["misspelt"], MISSPELLING["SHORTEST"]
TITLES = (
    "Cover version", "Cover Version", "Green Hornet", "The Green Hornet (radio series)", "Custody (2007 film)",
    "Krav Maga", "South Park (season 10)", "Boeing 747", "H2O", "Mount Everest", "Rex Records (1912)",
    "Rex Records (1933)", "What \"else\"? (song)", "Ada", "Adam", "Straße", "May 16 coup", "Pizza 73",
)  # fmt: skip


@pytest.fixture(scope="module")
def titles() -> Titles:
    return Titles.of(TITLES)


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        # Of titles that differ in case only, the one as written.
        ("Cver version", "Cover version"),
        ("Cver Version", "Cover Version"),
        ("cover version", "Cover version"),
        # A misspelt bracket is still the bracket.
        ("The Green Hornet (radio esrie)", "The Green Hornet (radio series)"),
        ("The Green Hornet (comics)", "Green Hornet"),
        # A letter that comes between two swapped ones, or is dropped from between them.
        ("Krav asMga", "Krav Maga"),
        ("Krv Mgaa", "Krav Maga"),
        # A number stays itself with a space or a letter in it.
        ("Custody( 200 7film)", "Custody (2007 film)"),
        ("Rex Records (19x33)", "Rex Records (1933)"),
        # What can be no year is a slip for one, and nothing else is.
        ("Custody (207 film)", "Custody (2007 film)"),
        ("Custody (200t film)", "Custody (2007 film)"),
        ("Custody (0207 film)", "Custody (2007 film)"),
        ("Custody (2008 film)", None),
        ("Custody (2070 film)", None),
        ("Custody (07 film)", None),
        ("Rex Records (193)", "Rex Records (1933)"),
        ("Rex Records (19)", None),
        ("South Park (season 1)", None),
        ("South Park (season 01)", None),
        ("Boeing 74", None),
        ("Boeing 774", None),
        ("Pizza 7", None),
        ("HO", None),
        ("May coup", None),
        # Short names bear fewer typos.
        ("Ad", None),
        ("Adamm", "Adam"),
        ("Adan", None),
        ("Aban", None),
        ("strasse", "Straße"),
        ("everest", "Mount Everest"),
        ("everes", None),
        ('what "else"?', 'What "else"? (song)'),
        ("Krav\x00Maga", "Krav Maga"),
        ("\ud800Krav Maga", "Krav Maga"),
        ("\x00", None),
        ('"', None),
        ("(", None),
    ],
)  # fmt: skip
def test_find(titles: Titles, asked: str, title: str | None) -> None:
    position = titles.find(asked)
    assert (None if position is None else TITLES[position]) == title


def test_without_titles_nothing_is_found() -> None:
    titles = Titles.of(())
    assert (titles.find("Sea"), titles.similar("Sea", 3), titles.shortest(["sea"], 9, 3)) == (None, [], [])


def test_the_last_of_equal_titles_is_taken() -> None:
    assert Titles.of(["Sea", "Sea"]).find("Sea") == 1


def test_similar_titles_among_many() -> None:
    names = [f"Number {number} of them" for number in range(3000)]
    titles = Titles.of([*names, "Mercury (planet)", "Mercery"])
    assert titles.similar("Mercury", 2) == ["Mercery", "Mercury (planet)"]
    assert len(titles.similar("Nothing of the kind", 5)) == 5


def test_the_shortest_titles_with_words(titles: Titles) -> None:
    found = [TITLES[at] for at in titles.shortest(["green", "hornet"], 10, 5)]
    assert found == ["Green Hornet", "The Green Hornet (radio series)"]
    assert len(titles.shortest(["rex"], 1, 5)) == 1


def test_titles_with_two_typos_on_hotpotqa(hotpot: Path) -> None:
    names = sorted({page.title for page in read_paragraphs(hotpot, [])})
    titles, draw = Titles.of(names), random.Random(7)
    asked = [(name, misspelt(name, 2, draw, numbers=False)) for name in names if len(name) >= SHORTEST]
    found = [(name, titles.find(text)) for name, text in asked]
    assert sum(at is not None and names[at] == name for name, at in found) >= 0.99 * len(found)
    assert sum(at is not None and names[at] != name for name, at in found) <= 0.001 * len(found)


def test_titles_of_absent_pages_find_no_other(hotpot: Path) -> None:
    names = sorted({page.title for page in read_paragraphs(hotpot, [])})
    titles, known = Titles.of(names), set(names)
    absent = sorted({page.title for page in read_paragraphs(hotpot.with_name("train.jsonl"), [])} - known)
    # The few that do are parts of a longer title (Hip hop), or lack its bracket.
    found = [(name, names[at]) for name in absent if (at := titles.find(name)) is not None]
    assert len(found) <= 0.003 * len(absent)


def test_fold() -> None:
    assert fold(' "Mercury_(Planet)  ÉTÉ" ') == "mercury_(planet) ete".replace("_", " ")
