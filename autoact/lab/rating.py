"""People's blind ratings of two methods or runs: the pairs to be shown, the file of ratings, what they say together."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from autoact.errors import BadInput
from autoact.files import disk
from autoact.lab.comparison import Answers
from autoact.lab.statistics.agreement import cohen_kappa
from autoact.lab.statistics.paired import sign_p
from autoact.metrics import normalise, wilson_interval
from autoact.trajectory import Trajectory

FILE = "ratings.jsonl"
"""The file of ratings in a project."""
MOST_BYTES = 64 << 20
Choice = Literal["left", "right", "same", "both wrong"]
Criterion = Literal["overall", "action", "argument", "coherence"]
CRITERIA: dict[Criterion, str] = {
    "overall": "which answer is better", "action": "which chooses the better tools",
    "argument": "which gives its tools the better arguments",
    "coherence": "whose steps follow better from one another",
}  # fmt: skip
"""Questions that a person answers about a pair; the last three are those of the paper's human evaluation."""


class Rating(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the file: a person's choice between two answers. The last line of a question counts."""

    rater: str
    question: str
    """As `question_key` returns it."""
    left: str
    """The side that was shown on the left, as RUN/METHOD."""
    right: str
    choice: Choice
    at: str
    """The time, in ISO 8601."""
    criterion: Criterion = "overall"

    @property
    def preferred(self) -> str:
        """The better side, or `same`, or `both wrong`."""
        return {"left": self.left, "right": self.right}.get(self.choice, self.choice)


class BlindPair(Struct, frozen=True):
    """Two trajectories of one question, with the sides that they are of, which are not shown."""

    question: str
    left: str
    right: str
    shown: tuple[Trajectory, Trajectory]
    """The left one, the right one."""


class RaterAgreement(Struct, frozen=True):
    """Two raters on the questions that both rated."""

    raters: tuple[str, str]
    n: int
    kappa: float | None
    """Cohen's kappa over the four choices; None where it is not defined."""


class RatingSummary(Struct, frozen=True):
    """All ratings of two sides."""

    sides: tuple[str, str]
    by_rater: dict[str, dict[str, int]]
    """Numbers of questions by rater, and by side, `same` or `both wrong`."""
    better: tuple[int, int]
    """Questions for which more raters prefer the first side, and the second one."""
    even: int
    """Questions for which neither is preferred by more."""
    p: float
    """Of the sign test of `better`."""
    win_rate: float | None
    """The second side's share of `better`; None without any."""
    interval: tuple[float, float]
    """The 95 % interval of that share."""
    agreement: tuple[RaterAgreement, ...]


def make_pairs(
    sides: tuple[str, str], answers: tuple[Answers, Answers], rater: str, *, steps: bool
) -> list[BlindPair]:  # fmt: skip
    """Returns the pairs that differ, in the same random order for all raters; the sides change places at random.

    A later call with the same arguments returns the same. With `steps`, pairs differ that have other steps; else only
    those with other answers.
    """
    keys = sorted(answers[0].keys() & answers[1].keys())
    random.Random("\n".join(sorted(sides))).shuffle(keys)
    pairs = []
    for key in keys:
        shown = (answers[0][key].trajectory, answers[1][key].trajectory)
        if _content(shown[0], steps=steps) == _content(shown[1], steps=steps):
            continue
        if random.Random(f"{rater}\n{key}\n{sorted(sides)}").random() < 0.5:
            pairs.append(BlindPair(key, *sides, shown))
        else:
            pairs.append(BlindPair(key, *sides[::-1], shown[::-1]))
    return pairs


def _content(trajectory: Trajectory, *, steps: bool) -> object:
    answer = normalise(trajectory.answer or "")
    calls = [(step.thought, step.action, step.argument) for step in trajectory.steps]
    return (answer, calls) if steps else answer


def read_ratings(file: Path, sides: tuple[str, str], criterion: Criterion = "overall") -> list[Rating]:
    """Returns the ratings of two sides by a criterion; none without the file.

    Raises BadInput, with the line, for a damaged file.
    """
    try:
        data = disk.read_file(file, most=MOST_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error
    rated = _parse(file, data)
    return [one for one in rated if {one.left, one.right} == set(sides) and one.criterion == criterion]


def _parse(file: Path, data: bytes) -> list[Rating]:
    found = []
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            found += [msgspec.json.decode(line, type=Rating)] if line.strip() else []
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadInput(f"not a rating: {error}", file=file, line=number) from error
    return found


def add_rating(file: Path, rating: Rating) -> None:
    """Adds a rating, durably. Raises BadInput for a damaged file, which is left as it is, and OSError."""

    def add(before: bytes | None) -> bytes:
        text = before or b""
        _parse(file, text)
        end = b"" if not text or text.endswith(b"\n") else b"\n"  # an editor may have left the last line without one
        return text + end + msgspec.json.encode(rating) + b"\n"

    disk.change_file(file, add)


@dataclass(slots=True)
class RatingRound:
    """One person's way through the pairs: the next one that they have not rated, and back."""

    file: Path
    rater: str
    pairs: Sequence[BlindPair]
    rated: set[str]
    """Questions of these pairs that the person has rated."""
    criterion: Criterion = "overall"
    at: int = 0

    @classmethod
    def open(
        cls, file: Path, sides: tuple[str, str], answers: tuple[Answers, Answers], rater: str, *, steps: bool = True,
        limit: int = 0, criterion: Criterion = "overall",
    ) -> RatingRound:  # fmt: skip
        """Makes the pairs, at most `limit` (0: all), and reads what the person has rated. Raises BadInput."""
        pairs = make_pairs(sides, answers, rater, steps=steps)[: limit or None]
        rated = set(last_ratings(read_ratings(file, sides, criterion)).get(rater, {}))
        return cls(file, rater, pairs, rated & {pair.question for pair in pairs}, criterion)

    def current(self) -> BlindPair | None:
        """Returns the next pair that is not rated; None after the last."""
        while self.at < len(self.pairs) and self.pairs[self.at].question in self.rated:
            self.at += 1
        return self.pairs[self.at] if self.at < len(self.pairs) else None

    def choose(self, choice: Choice) -> None:
        """Writes the person's choice for the current pair. Raises BadInput for a damaged file, and OSError."""
        pair = self.current()
        if pair is not None:
            now = datetime.now().astimezone().isoformat(timespec="seconds")
            made = Rating(self.rater, pair.question, pair.left, pair.right, choice, now, self.criterion)
            add_rating(self.file, made)
            self.rated.add(pair.question)

    def back(self) -> None:
        """Returns to the pair before the current one, which is to be rated again."""
        self.current()
        self.at = max(0, self.at - 1)
        if self.pairs:
            self.rated.discard(self.pairs[self.at].question)


def last_ratings(ratings: Sequence[Rating]) -> dict[str, dict[str, Rating]]:
    """Returns the ratings that count, by rater and question."""
    found: dict[str, dict[str, Rating]] = {}
    for one in ratings:
        found.setdefault(one.rater, {})[one.question] = one
    return found


def summarise_ratings(ratings: Sequence[Rating], sides: tuple[str, str]) -> RatingSummary:
    """Returns counts, the sign test over questions, and the agreement of every two raters."""
    by_rater = last_ratings(ratings)
    balance: Counter[str] = Counter()
    for rated in by_rater.values():
        for question, one in rated.items():
            balance[question] += {sides[0]: -1, sides[1]: 1}.get(one.preferred, 0)
    first, second = sum(value < 0 for value in balance.values()), sum(value > 0 for value in balance.values())
    return RatingSummary(
        sides,
        {name: dict(Counter(one.preferred for one in rated.values())) for name, rated in by_rater.items()},
        (first, second), len(balance) - first - second, sign_p(second, first),
        second / (first + second) if first + second else None, wilson_interval(second, first + second),
        tuple(_agreement(by_rater, *pair) for pair in combinations(sorted(by_rater), 2)),
    )  # fmt: skip


def describe_result(summary: RatingSummary) -> list[str]:
    """Returns the counts over questions with the sign test, and each agreement, in words; A is the first side."""
    lines = []
    if summary.win_rate is not None:
        low, high = (100 * end for end in summary.interval)
        share = (
            f"B is better in {100 * summary.win_rate:.0f} % ({low:.0f} to {high:.0f}) of the questions with a choice"
        )
        counts = f"A {summary.better[0]}, B {summary.better[1]}, even {summary.even}"
        lines.append(f"{counts}; {share}; sign test p {summary.p:.3f}")
    for one in summary.agreement:
        kappa = "is not defined" if one.kappa is None else f"{one.kappa:.2f}"
        lines.append(f"{' and '.join(one.raters)}: Cohen's kappa {kappa} on {one.n} questions that both rated")
    return lines


def _agreement(by_rater: dict[str, dict[str, Rating]], one: str, other: str) -> RaterAgreement:
    both = sorted(by_rater[one].keys() & by_rater[other].keys())
    said = ([by_rater[name][question].preferred for question in both] for name in (one, other))
    return RaterAgreement((one, other), len(both), cohen_kappa(*said))
