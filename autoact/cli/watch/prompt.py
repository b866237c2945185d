"""`autoact prompt`: prints what the model was asked for one answer of an episode, and how it answered."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.job.past_ask import PastAsk
    from autoact.model.tokens import Tokens
    from autoact.project.config import Config
    from autoact.run.record.folder import RunFolder

Row = tuple[str, str]
"""The kind of a paragraph, in a word, and its text."""
CHANGED = "The prompt was another one: tools, examples, prompts or settings have changed since. This is today's."
BETWEEN = "│"
"""Between two tokens."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "prompt", help="print the exact prompt of an answer",
        description="Prints the prompt to which the model gave answer N of an episode, its sampling settings, its "
        "adapter and the run that trained it. `autoact log` names episodes and numbers answers.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("unit", help="the episode, as `autoact log` names it")
    parser.add_argument("n", type=int, metavar="N", help="number of the answer, from 0")
    parser.add_argument("--tokens", action="store_true", help="also the tokens: which were cached, which were encoded")
    parser.add_argument(
        "--alternatives", action="store_true",
        help="also, for each token of the answer, the likeliest ones in its place, and the probability of each choice; "
        "loads the model and computes them again, so they may differ from the run's by rounding",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the paragraphs as JSON")
    parser.set_defaults(run=prompt)


def prompt(arguments: argparse.Namespace) -> int:
    """Prints an answer with its request, paragraph by paragraph."""
    from autoact.cli.output import print_json, printable
    from autoact.job.job import read_settings
    from autoact.job.past_ask import rebuild_ask
    from autoact.run.record.origins import find_maker

    folder = find_maker(find_target_run(arguments), arguments.unit)
    config = read_settings(folder)
    past = rebuild_ask(folder, config, arguments.unit, arguments.n)
    rows = [*_settings(past, folder, config), *_prompt(past), *_answer(past)]
    if arguments.tokens:
        rows += _tokens(past, config)
    if arguments.alternatives:
        rows += _alternatives(past, folder, config)
    if arguments.json:
        paragraphs = [{"part": part, "text": text} for part, text in rows]
        print_json({"run": folder.name, "unit": arguments.unit, "n": arguments.n, "paragraphs": paragraphs})
        return 0
    for part, text in rows:
        first, *more = text.split("\n")
        print(f"{part:>11}  {printable(first)}")
        for line in more:
            print(f"{'':>11}  {printable(line)}")
    return 0


def _settings(past: PastAsk, folder: RunFolder, config: Config) -> Iterator[Row]:
    """Yields where the answer comes from, and the settings with which it was asked for."""
    ask, turn = past.ask, past.turn
    if not past.is_exact:
        yield "changed", CHANGED
    yield "adapter", _adapter(past, folder, config)
    warm, nucleus = ask.sampling.temperature, ask.sampling.top_p
    drawn = f"temperature {warm:g}, top-p {nucleus:g}" if warm > 0 else "the likeliest token each time"
    if not ask.choices:
        stops = f", ends at {' or '.join(map(repr, ask.stop))}" if ask.stop else ""
        drawn += f"; {ask.least} to {ask.limit} tokens{stops}"
    yield "sampling", drawn
    if ask.choices:
        yield "choices", ", ".join(map(repr, ask.choices))
    if ask.bias:
        yield "bias", f"{ask.bias:+.3f} on the log-odds of {ask.choices[-1]!r}"
    if ask.barred:
        yield "barred", ", ".join(ask.barred)
    cached = turn.prompt_tokens - turn.prefilled
    yield (
        "cost",
        (
            f"{turn.prompt_tokens} prompt tokens: {cached} from the cache, {turn.prefilled} encoded; "
            f"{len(turn.tokens)} generated; {turn.ms / 1000:.2f} s"
        ),
    )


def _adapter(past: PastAsk, folder: RunFolder, config: Config) -> str:
    from autoact.registry.stages import DIFFERENTIATION
    from autoact.trajectory import META

    name = past.ask.adapter
    if name == META:
        return f"none: the base model {config.model.id}"
    trained = past.state.adapters.get(name)
    source = folder.name if DIFFERENTIATION in config.run.stages else config.run.base or folder.name
    if trained is None:
        return f"{name}, of the round before {source}"
    return (
        f"{name}, trained in {source} on {trained.examples} spans, loss {trained.loss:.3f} nats per token; "
        f"sha256 {trained.sha256[:12]}"
    )


def _prompt(past: PastAsk) -> Iterator[Row]:
    """Yields the prompt as text: the chat, then the assistant's text so far, which the answer continues."""
    found = past.ask.prompt
    yield "system", found.system
    for user, assistant in found.shown:
        yield "user", user
        yield "assistant", assistant
    yield "user", found.user
    for number, line in enumerate("".join(found.segments).splitlines(keepends=True)):
        yield "" if number else "assistant", line.removesuffix("\n")


def _answer(past: PastAsk) -> Iterator[Row]:
    """Yields the answer, with the probability of its choice where the log has it."""
    turn = past.turn
    yield turn.part, turn.text.strip() + (" (edited by a person)" if turn.edited else "")
    if turn.chance is None:
        return
    chances = {turn.text.strip(): turn.chance}
    if len(past.ask.choices) == 2:
        other = next(choice for choice in past.ask.choices if choice.strip() != turn.text.strip())
        chances[other.strip()] = 1 - turn.chance
    yield "probability", ", ".join(f"{choice} {chance:.1%}" for choice, chance in chances.items())


def _tokens(past: PastAsk, config: Config) -> Iterator[Row]:
    """Yields the tokens of the prompt, those from the cache first, and those of the answer."""
    from autoact.model.store import load_tokenizer
    from autoact.model.tokens import Tokens

    tokens = Tokens(load_tokenizer(config.model.id))
    ids = tokens.prompt(past.ask.prompt)
    cached = max(0, len(ids) - past.turn.prefilled) if past.turn.prompt_tokens == len(ids) else 0
    if past.turn.prompt_tokens != len(ids):
        yield (
            "tokens",
            f"{len(ids)} today, {past.turn.prompt_tokens} by the log: another prompt, or a server's own count",
        )
    for part, some in (("cached", ids[:cached]), ("encoded", ids[cached:]), ("generated", list(past.turn.tokens))):
        yield part, f"{len(some)} tokens" + (f"\n{_pieces(tokens, some)}" if some else "")


def _pieces(tokens: Tokens, ids: Sequence[int]) -> str:
    from autoact.job.alternatives import token_text

    return BETWEEN.join(token_text(tokens, id).replace("\n", "⏎") for id in ids)


def _alternatives(past: PastAsk, folder: RunFolder, config: Config) -> Iterator[Row]:
    """Yields the probability of each choice, and the likeliest tokens in each place of the answer."""
    from autoact.job.alternatives import AskProbe

    trained = past.state.adapters.get(past.ask.adapter)
    probe = AskProbe(config, {trained.name: folder.path / trained.path} if trained else {})
    chances = probe.weigh_choices(past.ask)
    for choice, chance in sorted(chances.items(), key=lambda one: -one[1]):
        yield "choice", f"{chance:6.1%}  {choice.strip()}"
    answer = past.turn.tokens or probe.tokens.segment(past.turn.text)
    for number, token in enumerate(probe.weigh(past.ask, answer), 1):
        others = "   ".join(f"{text!r} {chance:.1%}" for text, chance in token.likeliest if text != token.text)
        yield f"token {number}", f"{token.text!r} {token.chance:.1%}" + (f"   instead: {others}" if others else "")
