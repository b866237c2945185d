"""Choosing among allowed answers, drawing tokens, and where an answer ends."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine
from autoact.model.sampling import Draw, draw_tokens
from autoact.model.store import Weights
from autoact.model.tokens import ChoiceTree, Tokens
from autoact.script import Answer, Ask, Prompt, Sampling

WORDS = Prompt("Answer in steps.", "Question: Who?", ("Action:",))
NAMES = (" Web\n", " WebSearch\n", " Retrieve\n", " RetrieveAll\n", " Finish\n")


def answers(weights: Weights, ask: Ask, count: int) -> list[Answer]:
    """One ask with as many seeds, a lane each."""
    engine = LocalEngine(weights, count)
    for number in range(count):
        engine.submit(Ticket(f"t-{number}", 0), ask, number)
    found: list[Answer] = []
    while len(found) < count:
        found += [answer for _, answer in engine.step()]
    return found


def choose(weights: Weights, names: tuple[str, ...], count: int, temperature: float = 2.0) -> Counter[str]:
    ask = Ask("meta", "action", WORDS, choices=names, sampling=Sampling(temperature))
    return Counter(answer.text for answer in answers(weights, ask, count))


def test_only_allowed_names_come_out(weights: Weights) -> None:
    said = choose(weights, NAMES, 200)
    assert set(said) <= set(NAMES)
    assert len(said) > 2


def test_a_name_that_begins_another_can_be_chosen_and_so_can_the_other(weights: Weights) -> None:
    assert set(choose(weights, (" Web", " WebSearch"), 200, temperature=20.0)) == {" Web", " WebSearch"}


def test_an_answer_is_no_shorter_than_it_must_be(weights: Weights) -> None:
    breaks = set(Tokens(weights.tokenizer).breaks)
    ask = Ask("meta", "thought", WORDS, limit=30, least=9, sampling=Sampling(5.0))
    for answer in answers(weights, ask, 20):
        assert len(answer.tokens) >= 9
        assert not breaks & set(answer.tokens[:9])


def test_an_answer_does_not_begin_with_a_barred_word(weights: Weights) -> None:
    tokens = Tokens(weights.tokenizer)
    ways = [tokens.segment(word) for word in (" right", "right", "Right", " RIGHT")]
    for path in ways:
        assert path[-1] in tokens.closing(list(path[:-1]), ("right",))
        assert path[-1] in tokens.closing([*tokens.segment("\n"), *path[:-1]], ("right",))
        assert tokens.closing([*path[:-1], *tokens.segment(" x")], ("right",)) == []
    (answer,) = answers(saying(weights, " right"), Ask("meta", "argument", WORDS, limit=8, barred=("right",)), 1)
    assert answer.text.lower() != "right"
    (plain,) = answers(saying(weights, " right"), Ask("meta", "argument", WORDS, limit=8), 1)
    assert plain.text == "right"


def test_an_answer_that_must_have_a_token_has_a_word(weights: Weights) -> None:
    (answer,) = answers(saying(weights, " ", "\n"), Ask("meta", "argument", WORDS, limit=8, least=1), 1)
    assert answer.text


def test_the_only_choice_needs_no_model(weights: Weights) -> None:
    (answer,) = answers(weights, Ask("meta", "action", WORDS, choices=(" Finish\n",)), 1)
    assert answer.text == " Finish\n"
    assert answer.prefilled == 0


def test_choice_tree_forces_what_leaves_no_choice(weights: Weights) -> None:
    tokens = Tokens(weights.tokenizer)
    tree = ChoiceTree(tokens, (" Finish\n", " Lookup\n"))
    begun = tree.forced([])
    for first in tree.next(begun):
        assert tree.chosen(tree.forced([*begun, first])) in (" Finish\n", " Lookup\n")
    assert tree.next(list(tokens.segment(" Finish\n"))) == []


def draw(logits: torch.Tensor, sampling: Sampling, seed: int, number: int, allowed: list[int] | None = None) -> int:
    ((drawn, chance),) = draw_tokens(logits[None].clone(), [Draw(sampling, seed, number, allowed)])
    known = logits if allowed is None else logits[allowed]
    assert chance == pytest.approx(float((logits[drawn] - known.logsumexp(-1)).exp()))
    return drawn


def test_greedy_is_the_likeliest_and_draws_repeat() -> None:
    logits = torch.randn(300, generator=torch.Generator().manual_seed(1))
    assert draw(logits, Sampling(), 1, 0) == int(logits.argmax())
    assert draw(logits, Sampling(), 1, 0, [4, 9, 7]) == max((4, 9, 7), key=lambda one: float(logits[one]))
    wide = [draw(logits, Sampling(1.5), 3, index) for index in range(50)]
    assert wide == [draw(logits, Sampling(1.5), 3, index) for index in range(50)]
    assert len(set(wide)) > 10


def test_a_draw_in_a_batch_is_the_one_drawn_alone() -> None:
    logits = torch.randn(40, 300, generator=torch.Generator().manual_seed(2)).to(torch.bfloat16).float()  # with ties
    settings = (Sampling(), Sampling(1.5), Sampling(0.7, 0.9), Sampling(3.0, 0.5))
    draws = [
        Draw(settings[row % 4], row, row // 4, [7, 4, 9] if row % 5 == 0 else None, [row, 5] if row % 3 == 0 else ())
        for row in range(40)
    ]
    together = draw_tokens(logits.clone(), draws)
    assert together == [draw_tokens(logits[row, None].clone(), [one])[0] for row, one in enumerate(draws)]
    for one, (drawn, _) in zip(draws, together, strict=True):
        assert one.allowed is None or drawn in one.allowed
        assert drawn not in one.forbidden


def test_draws_follow_the_probabilities_and_stay_in_the_nucleus() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    drawn = Counter(draw(logits, Sampling(1.0), seed, 0) for seed in range(4000))
    assert [drawn[one] / 4000 for one in range(4)] == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)
    assert {draw(logits, Sampling(1.0, 0.75), seed, 0) for seed in range(300)} == {0, 1}


# -- where an answer ends --------------------------------------------------------------------------------------------


def saying(weights: Weights, *texts: str) -> Weights:
    """The model made to say these tokens whatever it is asked: its head looks at the position alone."""
    tokens = [one for text in texts for one in weights.tokenizer(text, add_special_tokens=False)["input_ids"]]

    def instead(module: object, given: object, output: torch.Tensor) -> torch.Tensor:
        said = torch.zeros_like(output)
        said[..., tokens[len(spoken)] if len(spoken) < len(tokens) else weights.tokenizer.eos_token_id] = 9.0
        spoken.append(1)
        return said

    spoken: list[int] = []
    weights.model.lm_head.register_forward_hook(instead)
    return weights


@pytest.mark.parametrize(
    ("spoken", "text"),
    [
        (" I know.\nAction: Finish", "I know."),
        ("\n\n I know.\n", "I know."),
        (" I know", "I know"),
        ("", ""),
        ("\n\n", ""),
        (" \n", ""),
    ],
)
def test_an_answer_ends_at_the_stop_or_the_end_token(weights: Weights, spoken: str, text: str) -> None:
    (answer,) = answers(saying(weights, spoken), Ask("meta", "thought", WORDS, limit=40), 1)
    assert answer.text == text


def test_an_answer_ends_at_the_limit(weights: Weights) -> None:
    (answer,) = answers(saying(weights, " I know that I know"), Ask("meta", "thought", WORDS, limit=3), 1)
    assert len(answer.tokens) == 3


def test_several_stops_and_the_first_counts(weights: Weights) -> None:
    ask = Ask("meta", "thought", WORDS, stop=("]", "\n"), limit=40)
    (answer,) = answers(saying(weights, " Peru] and more\n"), ask, 1)
    assert answer.text == "Peru"


def test_a_stop_may_arrive_over_several_tokens(weights: Weights) -> None:
    ask = Ask("meta", "thought", WORDS, stop=("Observation:",), limit=60)
    (answer,) = answers(saying(weights, " Peru\nObservation: none"), ask, 1)
    assert answer.text == "Peru"
