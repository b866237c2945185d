"""Games of TextWorld, made and played for real in their process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from autoact.cli.output import print_turns
from autoact.errors import BadInput
from autoact.games import environment
from autoact.games.environment import NEW_GAME, TOOLS, TextGame, TextGames, open_text_games
from autoact.games.name import GameName
from autoact.project.config import Games
from autoact.project.project import create
from autoact.scratchpad import read_moves
from autoact.trajectory import Question, Step, Trajectory

TWO_GOALS = "r2-o4-g2-c2-2"
WON = (
    ("Take", "laptop", 0.0),
    ("Put", "laptop on bookshelf", 0.5),
    ("Take", "latchkey from basket", 0.5),
    ("Unlock", "box with latchkey", 1.0),
)
"""The moves that win it, with the share of the goals that each has reached."""


@pytest.fixture(scope="module")
def games(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextGames]:
    """The games of one folder, played by one process."""
    opened = TextGames(tmp_path_factory.mktemp("project") / "games", Games(seed=40))
    yield opened
    opened.close()


def begin(games: TextGames, name: str = TWO_GOALS) -> TextGame:
    return games.begin(Question(name, ""))


def test_a_game_is_over_when_it_is_won_and_each_goal_counts(games: TextGames) -> None:
    game = begin(games)
    seen = [game.call(tool, argument) for tool, argument, _ in WON]
    assert [one.reward for one in seen] == [score for *_, score in WON]
    assert [one.over for one in seen] == [False, False, False, True]
    assert not any(one.failed for one in seen)
    assert seen[-1].text == "You have won."


def test_a_question_is_the_objective_and_the_first_view(games: TextGames) -> None:
    question = games.question(Question(TWO_GOALS, "any", "won"), "heldout.jsonl")
    assert question.played
    objective, view = question.text.split("\n")
    assert objective.startswith("First stop, pick up the laptop")
    assert objective.endswith("unlocked with the latchkey.")
    assert view.startswith("You are in the bedchamber. You see: box (locked), basket (open, with latchkey), laptop,")
    assert read_moves(question.text, TOOLS) == {
        "Close": ("basket",), "Go": ("west",), "Take": ("laptop", "latchkey from basket"),
    }  # fmt: skip


def test_a_move_that_is_not_possible_fails_and_changes_nothing(games: TextGames) -> None:
    game = begin(games)
    refused = game.call("Unlock", "box with latchkey")
    assert refused.failed
    assert refused.text.startswith("That is not possible. You are in the bedchamber.")
    assert game.call("Take", "laptop").text == begin(games).call("Take", "laptop").text


def test_recalled_moves_lead_to_the_same_game(games: TextGames) -> None:
    game = begin(games)
    game.recall("Eat", "box")  # it failed
    for tool, argument, _ in WON[:-1]:
        game.recall(tool, argument)
    last = game.call(*WON[-1][:2])
    assert (last.over, last.reward) == (True, 1.0)
    assert not game.repeatable("Take")


def test_threads_play_several_games_at_once(games: TextGames) -> None:
    def play(_: int) -> list[str]:
        game = begin(games)
        return [game.call(tool, argument).text for tool, argument, _ in WON]

    with ThreadPoolExecutor(4) as threads:
        played = list(threads.map(play, range(4)))
    assert played == [play(0)] * 4


def test_new_games_are_made_from_seeds_and_are_the_same_again(games: TextGames) -> None:
    made = [games.begin(None).call(NEW_GAME, str(number)) for number in (0, 1)]
    questions = [msgspec.json.decode(one.text, type=Question) for one in made]
    assert [one.id for one in questions] == ["r2-o4-g1-c3-40", "r2-o4-g1-c3-41"]
    assert all(one.played and one.answer is None and one.origin == "instructed" for one in questions)
    assert questions[0].text != questions[1].text
    file = games._folder / "r2-o4-g1-c3-40.json"
    before = file.read_bytes()
    file.unlink()
    assert games.begin(None).call(NEW_GAME, "0").text == made[0].text
    assert file.read_bytes() == before


def test_a_question_without_a_game_is_a_failed_call(games: TextGames) -> None:
    seen = games.begin(Question("asked", "Who?")).call("Go", "north")
    assert seen.failed
    assert seen.text == "Go failed: ValueError: `asked` is no game"


def test_an_id_that_names_no_game_is_refused_with_its_place(games: TextGames) -> None:
    with pytest.raises(BadInput, match=r"heldout.jsonl, key `id`: `q-1` is no game; expected a name such as r2-o4"):
        games.question(Question("q-1", "Who?", "won"), "heldout.jsonl")


@pytest.mark.parametrize("text", ["", "r2-o4-g1-c3", "r0-o4-g1-c3-1", "r2-o4-g1-c3-1x", "../r2-o4-g1-c3-1"])
def test_other_texts_are_no_names(text: str) -> None:
    assert GameName.parse(text) is None


def test_a_name_has_all_numbers() -> None:
    assert GameName.parse(" r2-o4-g1-c3-17 ") == GameName(2, 4, 1, 3, 17)
    assert str(GameName(2, 4, 1, 3, 17)) == "r2-o4-g1-c3-17"


def test_a_missing_package_is_named_with_its_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = create(tmp_path / "games", "textworld")
    monkeypatch.setattr(environment, "PACKAGE", "no_such_package")
    with pytest.raises(BadInput, match=r"key `task.environment`: .* pip install 'autoact-studio\[games\]'"):
        open_text_games(project.config(), project)


def test_a_reflect_agent_is_refused_before_anything_starts(tmp_path: Path) -> None:
    project = create(tmp_path / "games", "textworld")
    config = project.config(changes={"differentiation.adapters": '{all = ["plan", "tool", "reflect"]}'})
    with pytest.raises(BadInput, match="key `differentiation.adapters`: a game has no answer to reflect on"):
        open_text_games(config, project)
    assert not (project.root / "games").exists()


def test_a_game_is_printed_with_its_score(capsys: pytest.CaptureFixture[str]) -> None:
    step = Step("I go.", "Go", "east", "You are in the hall.")
    print_turns(Trajectory("t-1", Question("g-1", "Go.", played=True), (step,), reward=0.5))
    assert capsys.readouterr().out == "  I go.\n  > Go[east]\n    You are in the hall.\n\nscore 0.50\n"
