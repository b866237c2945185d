"""Tool selection among 308 tools on twelve task cards: the short list, a perfect chooser, the embedded model.

Run: python tests/benchmarks/bench_selection.py [--model]. With it the embedded model chooses in both ways, and once
more from the library in another order. It takes minutes.
"""

from __future__ import annotations

import random
import runpy
import statistics
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from autoact.project.config import Task, ToolSelection
from autoact.script import Answer, Ask
from autoact.stages.tool_selection import NO_MORE, choose, choose_matching
from autoact.tools.library.shortlist import choose_tools, rank_tools

CARDS = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "library" / "task_cards.py"))
SETTINGS = ToolSelection()

Chooser = Callable[[Any, Ask], str]


def main(*, with_model: bool) -> None:
    """Print recall of the short list, then precision and recall of each chooser, averaged over the cards."""
    library, cards = CARDS["library"](), CARDS["CARDS"]
    began = time.perf_counter()
    places = {card: [fit.tool.name for fit in rank_tools(card.task, card.examples, library)] for card in cards}
    ms = 1000 * (time.perf_counter() - began) / len(cards)
    wanted = sum(len(card.tools) for card in cards)
    for most in (3, 5, 8, 12, 16):
        found = sum(len(card.tools & set(places[card][:most])) for card in cards)
        print(f"short list of {most}: {found} of {wanted} tools, recall {found / wanted:.2f}")
    print(f"{len(library)} tools ranked in {ms:.0f} ms")
    shuffled = random.Random(7).sample(library, len(library))
    tell("perfect chooser", perfect, choose, library)
    tell("perfect chooser, shuffled library", perfect, choose, shuffled)
    if with_model:
        model = embedded()
        tell("embedded model by names", model, choose, library)
        tell("embedded model by likelihood", model, choose_matching, library)
        tell("embedded model by likelihood, shuffled library", model, choose_matching, shuffled)


def tell(name: str, chooser: Chooser, way: Any, library: list[Any]) -> None:
    """What was chosen, the precision and the recall."""
    precisions, recalls = [], []
    began = time.perf_counter()
    for card in CARDS["CARDS"]:
        chosen = {tool for tool, _ in chosen_by(chooser, card, way, library)}
        precisions.append(len(chosen & card.tools) / len(chosen))
        recalls.append(len(chosen & card.tools) / len(card.tools))
        print(f"  {card.task:<66} {', '.join(sorted(chosen))}", flush=True)
    figures = f"precision {statistics.mean(precisions):.2f}, recall {statistics.mean(recalls):.2f}"
    print(f"{name}: {figures}, {(time.perf_counter() - began) / len(precisions):.1f} s a card", flush=True)


def chosen_by(chooser: Chooser, card: Any, way: Any, library: list[Any]) -> list[tuple[str, str]]:
    """What the stage's script chooses, with every ask answered by `chooser`."""
    tools, _ = choose_tools(card.task, card.examples, library, SETTINGS.offered)
    script = way(Task(description=card.task), card.examples, tools, SETTINGS)
    sent: Any = None
    while True:
        try:
            ask = script.send(sent)
        except StopIteration as end:
            return list(end.value)
        sent = Answer(chooser(card, ask))


def perfect(card: Any, ask: Ask) -> str:
    """Takes what a person would pick, and stops."""
    if not ask.choices:
        return "helps."
    right = [choice for choice in ask.choices if choice.strip() in card.tools]
    return (right or [choice for choice in ask.choices if choice.strip() == NO_MORE] or ask.choices)[0]


def embedded() -> Chooser:
    """The embedded model, greedily."""
    from autoact.model import store
    from autoact.model.engine import Ticket
    from autoact.model.local import LocalEngine

    engine = LocalEngine(store.load_model(store.EMBEDDED, device="cpu", precision="float32"), lanes=1)
    numbers = count()

    def said(card: Any, ask: Ask) -> str:
        engine.submit(Ticket(card.task, next(numbers)), ask, 7)
        while not (done := list(engine.step())):
            pass
        return str(done[0][1].text)

    return said


if __name__ == "__main__":
    main(with_model="--model" in sys.argv[1:])
