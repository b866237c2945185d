"""Finds names with nearly the same letters as another, by a mark of 64 bits for each, so that few names need be
compared.

An index stores, by length, the number and the mark of every name. The marks of a million names take 12 MB, are read
in milliseconds, and leave a few hundred names whose spelling must be compared.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import uint8, uint32
    from numpy.typing import NDArray

SCHEMA = "CREATE TABLE letters (length INTEGER PRIMARY KEY, numbers BLOB NOT NULL, marks BLOB NOT NULL);"
_GROUPS = 32
_NUMBER, _MARK = "I", "Q"
"""Type codes of array and numpy alike: 32 bits and 64."""


def letter_mark(name: str) -> int:
    """Returns the mark of a name: for each of 32 groups of letters, whether it has one of them, and whether it has
    more.

    One letter more or less changes at most one bit, another letter two, and swapped letters none.
    """
    bits = 0
    for letter in name:
        low = 1 << 2 * (ord(letter) % _GROUPS)
        bits |= low << 1 if bits & low else low
    return bits


def write(connection: sqlite3.Connection, names: Iterable[tuple[int, str]]) -> None:
    """Stores the marks of these numbered names. The schema must exist."""
    kept: defaultdict[int, tuple[array[int], array[int]]] = defaultdict(lambda: (array(_NUMBER), array(_MARK)))
    for number, name in names:
        numbers, marks = kept[len(name)]
        numbers.append(number)
        marks.append(letter_mark(name))
    rows = ((length, numbers.tobytes(), marks.tobytes()) for length, (numbers, marks) in kept.items())
    connection.executemany("INSERT INTO letters VALUES (?, ?, ?)", rows)


def names_within(connection: sqlite3.Connection, name: str, typos: int) -> list[int]:
    """Returns the numbers of all names within this many typos, and of some others."""
    import numpy

    statement = "SELECT numbers, marks FROM letters WHERE length BETWEEN ? AND ?"
    found: list[int] = []
    for numbers, marks in connection.execute(statement, (len(name) - typos, len(name) + typos)):
        apart = numpy.bitwise_count(numpy.frombuffer(marks, _MARK) ^ numpy.uint64(letter_mark(name)))
        found += numpy.frombuffer(numbers, _NUMBER)[apart <= 2 * typos].tolist()
    return found


def most_similar(connection: sqlite3.Connection, name: str, most: int) -> list[int]:
    """Returns the numbers of the `most` names with the most similar letters for the length of both, the most similar
    first."""
    import numpy

    kept: list[tuple[NDArray[uint32], NDArray[uint8]]] = []
    steps: list[tuple[float, int, int]] = []
    for length, numbers, marks in connection.execute("SELECT length, numbers, marks FROM letters"):
        apart = numpy.bitwise_count(numpy.frombuffer(marks, _MARK) ^ numpy.uint64(letter_mark(name)))
        # Names of one length have few different distances in bits, so distances are sorted instead of names.
        for bits in numpy.flatnonzero(numpy.bincount(apart)).tolist():
            steps.append((bits / (length + len(name) or 1), len(kept), bits))
        kept.append((numpy.frombuffer(numbers, _NUMBER), apart))
    found: list[int] = []
    for _, at, bits in sorted(steps):
        if len(found) >= most:
            break
        its_numbers, apart = kept[at]
        found += its_numbers[apart == bits].tolist()
    return found[:most]
