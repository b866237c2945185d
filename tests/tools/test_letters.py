"""No name that is few typos away is missed by its letters, and few others are looked at."""

from __future__ import annotations

import random
import runpy
import sqlite3
from pathlib import Path

import pytest

from autoact.tools.pages import letter_marks

misspelt = runpy.run_path(str(Path(__file__).with_name("misspelling.py")))["misspelt"]


@pytest.fixture
def names() -> list[str]:
    draw = random.Random(3)
    return ["".join(draw.choices("aeiourstln (1жщ", k=draw.randrange(2, 30))) for _ in range(2000)]


@pytest.fixture
def connection(names: list[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute(letter_marks.SCHEMA)
    letter_marks.write(connection, enumerate(names))
    return connection


@pytest.mark.parametrize("typos", [0, 1, 2, 3])
def test_every_name_so_near_is_among_those_found(connection: sqlite3.Connection, names: list[str], typos: int) -> None:
    draw = random.Random(5)
    for at, name in enumerate(names[:500]):
        assert at in letter_marks.names_within(connection, misspelt(name, typos, draw), typos)


def test_names_of_other_letters_are_left_out(connection: sqlite3.Connection, names: list[str]) -> None:
    found = letter_marks.names_within(connection, next(name for name in names if len(name) > 20), 2)
    assert len(found) < len(names) / 20


def test_the_likest(connection: sqlite3.Connection, names: list[str]) -> None:
    assert 7 in letter_marks.most_similar(connection, names[7][::-1], 5)
    assert letter_marks.most_similar(connection, names[7], 5) == letter_marks.most_similar(connection, names[7], 50)[:5]
    assert sorted(letter_marks.most_similar(connection, "x", 2000)) == list(range(2000))
    assert len(letter_marks.most_similar(connection, "", 10)) == 10
