"""Encodes prompts as token ids: the opening of the chat, then each segment. Text never becomes a control token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from autoact.errors import UnknownModel
from autoact.script import Match, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BRACKETED = re.compile(r"\s*[<\[{|].+[>\]}|]\s*")
"""Matches tokens that structure a chat, such as `<start_of_turn>` or `[INST]`, even if not marked as special."""
PROBE = "system-message-probe"

Messages = list[dict[str, str]]


class Tokens:
    """A tokenizer with two guarantees.

    The ids of a prompt begin with exactly the ids of the prompt that it extends. Text of questions, pages, tools and
    the model never becomes control tokens, even if it spells them: these come from the chat template only.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        """Raises UnknownModel when the chat template cannot render a conversation."""
        self.tokenizer = tokenizer
        self.end = tokenizer.eos_token_id
        self.controls = control_tokens(tokenizer)
        longest_first = sorted(self.controls.values(), key=len, reverse=True)
        self._control_pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self.opening = lru_cache(maxsize=256)(self._opening)
        self.segment = lru_cache(maxsize=65_536)(self._segment)
        self.system_role = bool(tokenizer.chat_template) and self._shows_system_message()

    def match_size(self, ask: Match) -> int:
        """Returns the tokens of the longest beginning with the text."""
        return max(len(self.plain(beginning)) for beginning in ask.beginnings) + len(self.segment(ask.text))

    def _opening(self, system: str, user: str, shown: tuple[tuple[str, str], ...]) -> tuple[int, ...]:
        """Returns the ids of system, demonstrations and user message, up to the beginning of the assistant's turn."""
        if not self.tokenizer.chat_template:
            return self._segment("\n\n".join([system, *chain(*shown), user, ""]))
        messages = self._messages(system, user, shown)
        mark = _unused_character("".join(message["content"] for message in messages))
        for message in messages:
            message["content"] = mark.join(part for part, _ in self._split_controls(message["content"]))
        parts = self._render(messages).split(mark)
        return tuple(chain.from_iterable(map(self._encode, parts)))

    def _messages(self, system: str, user: str, shown: tuple[tuple[str, str], ...]) -> Messages:
        """Returns the conversation; without a system role, the first user message begins with the system text."""
        turns = [*chain(*shown), user]
        if not self.system_role:
            turns[0] = f"{system}\n\n{turns[0]}"
        roles = ("user", "assistant")
        messages = [{"role": roles[index % 2], "content": content} for index, content in enumerate(turns)]
        return [{"role": "system", "content": system}, *messages] if self.system_role else messages

    def _shows_system_message(self) -> bool:
        """Returns whether the template renders a system message: some refuse it, others silently omit it."""
        user = {"role": "user", "content": "user"}
        try:
            if PROBE in self._render([{"role": "system", "content": PROBE}, user]):
                return True
        except TemplateError:
            pass  # it may still render without the system role, which is tried next
        try:
            self._render([user, {"role": "assistant", "content": "assistant"}, user])
        except (TemplateError, TypeError) as error:
            raise UnknownModel(
                f"the model's chat template renders no conversation of user and assistant: {error}"
            ) from error
        return False

    def _render(self, messages: Messages) -> str:
        return str(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def _segment(self, text: str) -> tuple[int, ...]:
        return tuple(chain.from_iterable(ids for _, ids in self._split_controls(text)))

    def _split_controls(self, text: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yields parts of a text with their ids, none of which is a control token.

        A text that spells no control token is one part; others are cut after the first character of each. A single
        character that is a control token by itself is left out.
        """
        waiting = [text]
        while waiting:
            part = waiting.pop()
            ids = self._encode(part)
            if not self._has_control(part, ids):
                yield part, ids
            elif len(part) > 1:
                cuts = {found.start() + 1 for found in self._control_pattern.finditer(part)} - {len(part)}
                places = [0, *sorted(cuts or {len(part) // 2}), len(part)]  # a normaliser may hide the spelling
                waiting += [part[start:end] for start, end in pairwise(places)][::-1]

    def _has_control(self, text: str, ids: tuple[int, ...]) -> bool:
        """Returns whether a control token is among the ids. The token of unknown characters does not count."""
        unknown = self.tokenizer.unk_token_id
        return any(one in self.controls and (one != unknown or self.controls[one] in text) for one in ids)

    def _encode(self, text: str) -> tuple[int, ...]:
        """Returns the ids of a text, control tokens in it included."""
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def plain(self, text: str) -> tuple[int, ...]:
        """Returns the ids of a text outside a chat, after the token that begins texts, if there is one."""
        first = self.tokenizer.bos_token_id
        return (*(() if first is None else (first,)), *self.segment(text))

    def prompt(self, prompt: Prompt) -> list[int]:
        """Returns all ids of a prompt, in order."""
        ids = list(self.opening(prompt.system, prompt.user, prompt.shown))
        for segment in prompt.segments:
            ids += self.segment(segment)
        return ids

    @cached_property
    def breaks(self) -> list[int]:
        """The ids that end a line or an answer."""
        pieces = self.tokenizer.batch_decode([[index] for index in range(len(self.tokenizer))])
        return [index for index, piece in enumerate(pieces) if "\n" in piece or index == self.end]

    def closing(self, taken: list[int], words: tuple[str, ...]) -> list[int]:
        """Returns ids that would complete one of `words` as the beginning of an answer with the ids `taken` so far."""
        while words and taken and not self.text(taken[:1]).strip():
            taken = taken[1:]
        forms = {form for word in words for form in (word, word.capitalize(), word.upper())}
        paths = (self.segment(f"{space}{form}") for form in forms for space in ("", " "))
        return [path[-1] for path in paths if list(path[:-1]) == taken]

    def text(self, ids: list[int]) -> str:
        """Returns the text of generated ids."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def control_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[int, str]:
    """Returns the tokens that structure a chat, by id: all special ones, and added ones in brackets.

    Other added tokens, such as words or runs of spaces, are text.
    """
    special = dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
    added = tokenizer.added_tokens_decoder.items()
    return special | {
        number: token.content for number, token in added if token.special or BRACKETED.fullmatch(token.content)
    }


def _unused_character(text: str) -> str:
    """Returns a character of private use that the text does not contain."""
    return next(one for one in map(chr, range(0xE000, 0x110000)) if one not in text)


class ChoiceTree:
    """The allowed answers of an ask as a prefix tree over token ids.

    A choice that is the beginning of another ends with the end token, so that both can be chosen.
    """

    def __init__(self, tokens: Tokens, choices: tuple[str, ...]):
        paths = {tokens.segment(choice): choice for choice in choices}
        begun = {path[:length] for path in paths for length in range(len(path))}
        self.paths = {(*path, tokens.end) if path in begun else path: choice for path, choice in paths.items()}

    @property
    def longest(self) -> int:
        """The tokens of the longest choice."""
        return max(map(len, self.paths))

    def next(self, taken: list[int]) -> list[int]:
        """Returns the ids that may follow `taken`; empty when a choice is complete."""
        depth = len(taken)
        return sorted({path[depth] for path in self.paths if len(path) > depth and list(path[:depth]) == taken})

    def last(self, taken: list[int]) -> int | None:
        """Returns the id that follows `taken` in the last choice alone; None when there is none."""
        depth, path = len(taken), [*self.paths][-1]
        begun = [one for one in self.paths if one[: depth + 1] == path[: depth + 1]]
        return path[depth] if len(begun) == 1 and len(path) > depth and list(path[:depth]) == taken else None

    def forced(self, taken: list[int]) -> list[int]:
        """Returns `taken`, extended as long as only one id can follow."""
        taken = list(taken)
        while len(follow := self.next(taken)) == 1 and tuple(taken) not in self.paths:
            taken.append(follow[0])
        return taken

    def chosen(self, taken: list[int]) -> str | None:
        """Returns the choice that these ids spell; None while it is incomplete."""
        return self.paths.get(tuple(taken))
