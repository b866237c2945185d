"""A longer prompt begins with exactly the shorter one's tokens."""

from __future__ import annotations

import itertools

from autoact.model.store import Weights
from autoact.model.tokens import Tokens
from autoact.script import Prompt


def test_a_prompt_only_grows(weights: Weights) -> None:
    tokens, words, before = Tokens(weights.tokenizer), Prompt("Be brief.", "Who?"), list[int]()
    for segment in ("Thought:", " I", " know", "s.", "\n", "Act", "ion:"):
        words = words.then(segment)
        after = tokens.prompt(words)
        assert after[: len(before)] == before
        assert len(after) > len(before)
        before = after


def test_segments_are_tokenised_apart(weights: Weights) -> None:
    tokens = Tokens(weights.tokenizer)
    apart, whole = (tokens.prompt(Prompt("", "", one)) for one in (tuple("Retrieve"), ("Retrieve",)))
    assert weights.tokenizer.decode(apart) == weights.tokenizer.decode(whole)
    assert len(apart) > len(whole)


def test_the_opening_is_the_models_own_chat_with_demonstrations(weights: Weights) -> None:
    opening = Prompt("Be brief.", "Who?", shown=(("When?", "Now."),))
    text = weights.tokenizer.decode(Tokens(weights.tokenizer).prompt(opening))
    places = [
        text.index(part) for part in ("<system>\nBe brief.", "<user>\nWhen?", "<assistant>\nNow.", "<user>\nWho?")
    ]
    assert places == sorted(places)
    assert text.endswith("<assistant>")


def test_a_model_without_a_chat_template_gets_plain_text(weights: Weights) -> None:
    weights.tokenizer.chat_template = None
    text = weights.tokenizer.decode(Tokens(weights.tokenizer).prompt(Prompt("Be brief.", "Who?", ("Thought:",))))
    assert text == "Be brief.\n\nWho?\n\nThought:"


def test_text_leaves_the_end_token_out(weights: Weights) -> None:
    tokens = Tokens(weights.tokenizer)
    for text in itertools.chain(("Fidelio – «ü»", " a  b \n"), ("",)):
        assert tokens.text([*tokens.segment(text), tokens.end]) == text
