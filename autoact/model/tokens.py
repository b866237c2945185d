"""From a Prompt to token ids: the chat opening once, then every segment by itself."""

from __future__ import annotations

import itertools
from functools import cached_property, lru_cache

from transformers import PreTrainedTokenizerBase

from autoact.script import Prompt


class Tokens:
    """A tokenizer that keeps the promise that a longer prompt begins with exactly the shorter one's ids."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        self.tokenizer = tokenizer
        self.end = tokenizer.eos_token_id
        self.opening = lru_cache(maxsize=256)(self._opening)
        self.segment = lru_cache(maxsize=65_536)(self._segment)

    def _opening(self, system: str, user: str, shown: tuple[tuple[str, str], ...]) -> tuple[int, ...]:
        """Ids of system, demonstrations and user message up to where the assistant begins."""
        if not self.tokenizer.chat_template:
            return self._segment("\n\n".join([system, *itertools.chain(*shown), user, ""]))
        messages = [{"role": "system", "content": system}]
        for question, reply in shown:
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
        messages.append({"role": "user", "content": user})
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self._segment(str(text))

    def _segment(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def plain(self, text: str) -> tuple[int, ...]:
        """A text that stands for itself, without a chat around it, begun as the model's own texts begin."""
        first = self.tokenizer.bos_token_id
        return (*(() if first is None else (first,)), *self.segment(text))

    def prompt(self, prompt: Prompt) -> list[int]:
        """All ids of a prompt, in order."""
        ids = list(self.opening(prompt.system, prompt.user, prompt.shown))
        for segment in prompt.segments:
            ids += self.segment(segment)
        return ids

    @cached_property
    def breaks(self) -> list[int]:
        """Ids that end a line or an answer."""
        pieces = self.tokenizer.batch_decode([[index] for index in range(len(self.tokenizer))])
        return [index for index, piece in enumerate(pieces) if "\n" in piece or index == self.end]

    def closing(self, taken: list[int], words: tuple[str, ...]) -> list[int]:
        """Ids that would complete one of these words at the beginning of an answer that has `taken` so far."""
        while words and taken and not self.text(taken[:1]).strip():
            taken = taken[1:]
        forms = {form for word in words for form in (word, word.capitalize(), word.upper())}
        paths = (self.segment(f"{space}{form}") for form in forms for space in ("", " "))
        return [path[-1] for path in paths if list(path[:-1]) == taken]

    def text(self, ids: list[int]) -> str:
        """The text of generated ids."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


class ChoiceTree:
    """The allowed answers of an ask as a prefix tree over token ids.

    A choice that is the beginning of another ends with the end token, so that both can be chosen.
    """

    def __init__(self, tokens: Tokens, choices: tuple[str, ...]):
        paths = {tokens.segment(choice): choice for choice in choices}
        begun = {path[:length] for path in paths for length in range(len(path))}
        self.paths = {(*path, tokens.end) if path in begun else path: choice for path, choice in paths.items()}

    def next(self, taken: list[int]) -> list[int]:
        """Ids that may follow what was taken; empty when a choice is complete."""
        depth = len(taken)
        return sorted({path[depth] for path in self.paths if len(path) > depth and list(path[:depth]) == taken})

    def forced(self, taken: list[int]) -> list[int]:
        """`taken` extended as far as only one id can follow."""
        taken = list(taken)
        while len(follow := self.next(taken)) == 1 and tuple(taken) not in self.paths:
            taken.append(follow[0])
        return taken

    def chosen(self, taken: list[int]) -> str | None:
        """The choice these ids spell, or None while it is open."""
        return self.paths.get(tuple(taken))
