"""Scores equal those of the benchmarks' own scorers, which are written here again from their published definitions."""

from __future__ import annotations

import random
import string
from fractions import Fraction

import pytest

from autoact.metrics import choice_accuracy, exact_match, f1, number_match, score, squad_f1, yes_no_match
from autoact.trajectory import Question

PAIRS = 2_000
WORDS = (
    "the", "The", "a", "an", "An", "A", "yes", "No", "no", "noanswer", "red", "Red", "house", "U.S.A.", "well-known",
    "Zoë's", "–", "the–end", "l'été", "1,024", "(b)", "_a_", "...", "and", "Beethoven", "1976", "naïve", "東京", "  ",
)  # fmt: skip


def generated_pairs(seed: int) -> list[tuple[str, str]]:
    """Predictions and gold answers that share words more or less."""
    source, pairs = random.Random(seed), list[tuple[str, str]]()
    for _ in range(PAIRS):
        gold = source.choices(WORDS, k=source.randint(1, 6))
        given = [word for word in gold if source.random() < 0.7] + source.choices(WORDS, k=source.randint(0, 3))
        if source.random() < 0.3:
            given = list(gold)
        source.shuffle(given) if source.random() < 0.3 else None
        pairs.append((source.choice((" ", "  ")).join(given), " ".join(gold)))
    return pairs


def plain_words(text: str) -> list[str]:
    """SQuAD: lower case; then no ASCII punctuation; then no words a, an, the; then split at spaces."""
    kept = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    out, run = "", ""
    for letter in kept + " ":
        if letter.isalnum():
            run += letter
            continue
        out += (" " if run in ("a", "an", "the") else run) + letter
        run = ""
    return out.split()


def overlap(given: list[str], gold: list[str]) -> Fraction:
    """The harmonic mean of precision and recall over words, each counted as often as it stands in both."""
    left, same = list(gold), 0
    for word in given:
        if word in left:
            left.remove(word)
            same += 1
    return Fraction(2 * same, len(given) + len(gold)) if same else Fraction(0)


def test_hotpotqa() -> None:
    scored = 0
    for answer, gold in generated_pairs(1):
        given, wanted = plain_words(answer), plain_words(gold)
        closed = {"yes", "no", "noanswer"}
        mismatch = given != wanted and (" ".join(given) in closed or " ".join(wanted) in closed)
        assert f1(answer, gold) == pytest.approx(0 if mismatch else float(overlap(given, wanted)), abs=1e-12)
        if answer.strip():
            assert exact_match(answer, gold) == (given == wanted)
            scored += given == wanted
        else:
            assert exact_match(answer, gold) == 0
    assert scored > PAIRS / 10


def test_musique() -> None:
    """SQuAD's F1 has no rule for yes and no; where one side has no words, it is 1 if both have none."""
    pairs = generated_pairs(2)
    for answer, gold in pairs:
        given, wanted = plain_words(answer), plain_words(gold)
        expected = float(overlap(given, wanted)) if given and wanted else float(given == wanted)
        if answer.strip():
            assert squad_f1(answer, gold) == pytest.approx(expected, abs=1e-12)
    golds = tuple(gold for _, gold in pairs[:3])
    question = Question("q", "?", golds[0], other_answers=golds[1:], scorer="squad")
    for answer, _ in pairs:
        best = max(exact_match(answer, gold) for gold in golds), max(squad_f1(answer, gold) for gold in golds)
        assert score(answer, question) == best


def official_number(text: str) -> str | None:
    """GSM8K: what follows the first `#### ` as digits, dots and commas, perhaps after a minus; without the commas."""
    for start in range(len(text)):
        if text.startswith("#### ", start):
            at = start + 5
            found = "-" if text[at : at + 1] == "-" else ""
            rest = text[at + len(found) :]
            digits = rest[: len(rest) - len(rest.lstrip("0123456789.,"))]
            if digits:
                return (found + digits).replace(",", "")
    return None


def test_gsm8k() -> None:
    source, right = random.Random(3), 0
    for _ in range(PAIRS):
        gold = source.choice((source.randint(-20, 20), source.randint(1000, 9_999_999), source.randint(0, 99) / 4))
        given = gold if source.random() < 0.6 else source.randint(-20, 20)
        form = source.choice(("{:,}", "{}", "${}", "{}.", "{} dollars", "none", "{:.2f}", " {}"))
        answer = f"3 + 4 = 7\n#### {form.format(given)}" + source.choice(("", "\n#### 5", "\n"))
        expected = official_number(answer) == str(gold)
        assert number_match(answer, f"{gold:,}" if source.random() < 0.5 else str(gold)) == expected, answer
        right += expected
    assert PAIRS / 10 < right < PAIRS


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("72", 1), ("72.0", 1), ("$72", 1), ("1 + 71 = 72 dollars.", 1), ("72 of 100", 0), ("7", 0), ("-72", 0),
        ("", 0), (None, 0), ("seventy", 0),
    ],
)  # fmt: skip
def test_numbers_of_answers_in_words(answer: str | None, right: float) -> None:
    assert number_match(answer, "72") == right
    assert number_match("It costs 1,234.5", "1234.50") == 1


def test_strategyqa() -> None:
    source = random.Random(4)
    sayings = {
        True: ("yes", "Yes.", "YES", "true", "Yes, it did", " yes"), False: ("no", "No!", "false", "No, they did not"),
        None: ("maybe", "", "I do not know", "nobody", "yesterday"),
    }  # fmt: skip
    for _ in range(PAIRS):
        gold, given = source.random() < 0.5, source.choice((True, False, None))
        answer = source.choice(sayings[given])
        assert yes_no_match(answer, "yes" if gold else "no") == (given is not None and given == gold)
    assert yes_no_match(None, "no") == 0


def test_scienceqa() -> None:
    """An answer that is a letter of the options names that option, which must be the gold one."""
    source = random.Random(5)
    for _ in range(PAIRS):
        choices = tuple(source.sample(("salt", "iron", "a dog", "12 m", "ice", "an apple pie"), source.randint(2, 5)))
        gold, given = source.randrange(len(choices)), source.randrange(len(choices))
        question = Question("q", "?", "ABCDE"[gold], choices=choices)
        assert choice_accuracy("ABCDE"[given], question) == (given == gold)
        assert choice_accuracy("ABCDE"[len(choices) :][:1] or None, question) == 0
