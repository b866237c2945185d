"""How much faster synthesis is with two model servers than with one, when tools take 300 ms.

Run: python tests/benchmarks/bench_replicas.py [--episodes N] [--lanes N] [--places N] [--token-ms MS] [--tool-ms MS].
It takes about a minute, most of it waiting.

What is real: the stage `synthesis`, its conductor, the engine `server`, the log, and HTTP over the loopback address to
servers in processes of their own, which speak vLLM's dialect. What is simulated: the accelerator and the tools. Each
server continues at most `--places` sequences at a time and sleeps `--token-ms` for each token; reading a prompt takes
no time. The next token follows from the hash of those before it, so both runs have to give equal trajectories. So the
ratio tells what the engine, the placing of episodes and the end of the stage cost, and nothing about a real
accelerator. The best ratio is 2. All episodes are in progress at once unless `--lanes` says otherwise: with fewer lanes
the last episodes run by themselves, and their tools keep places empty, on two servers twice as many as on one.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests/model/server")]
import torch  # noqa: E402
from model_server import ModelServer  # noqa: E402
from worlds import scripted_world  # noqa: E402

from autoact.model.server.engine import ServerEngine  # noqa: E402
from autoact.model.server.opening import open_engine  # noqa: E402
from autoact.model.store import EMBEDDED, Weights, find_model, load_tokenizer  # noqa: E402
from autoact.model.tokens import Tokens  # noqa: E402
from autoact.project.config import Config, Filtering, Model, Server, Synthesis  # noqa: E402
from autoact.run.conductor.conductor import Conductor  # noqa: E402
from autoact.run.control.gate import Gate  # noqa: E402
from autoact.run.record.folder import RunFolder  # noqa: E402
from autoact.run.record.journal import Journal  # noqa: E402
from autoact.script import Card, Observation  # noqa: E402
from autoact.stages.synthesis import synthesis  # noqa: E402
from autoact.trajectory import Question, Tool, Trajectory  # noqa: E402

GOAL = 1.8
SENTENCE = 24
"""Tokens of a line, on average."""
CARD = Card(
    "Answer the question.",
    (Tool("Retrieve", "Reads a page.", "Retrieve[Peru]"), Tool("Lookup", "Finds a word.", "Lookup[in 1805]")),
)
SETTINGS = Synthesis(samples=1, steps=4, temperature=0.0)


class SimulatedServer(ModelServer):
    """A server whose next token depends on the hash of those before it."""

    def __init__(self, tokenizer: Any, **how: Any):
        self.drawn, self.line_break = 0, Tokens(tokenizer).breaks[0]
        vocabulary = tokenizer.get_vocab()
        self.words = sorted(number for word, number in vocabulary.items() if word.isascii() and word.isalpha())
        super().__init__(Weights(True, tokenizer, "simulated", Path()), **how)

    def logits(self, model: Any, ids: list[int], cache: Any) -> torch.Tensor:
        drawn = int.from_bytes(hashlib.blake2s(repr(ids).encode(), digest_size=8).digest(), "big")
        self.drawn += 1
        found = torch.zeros(len(self.weights.tokenizer))
        found[self.line_break if drawn % SENTENCE == 0 else self.words[drawn % len(self.words)]] = 50.0
        return found


class SlowPages:
    """A tool that finds a page that its argument names, after a while."""

    def __init__(self, seconds: float):
        self.seconds = seconds

    def call(self, name: str, argument: str) -> Observation:
        time.sleep(self.seconds)
        return Observation(f"{argument} is an opera by Beethoven.")

    def recall(self, name: str, argument: str) -> None:
        """Remembers nothing."""

    def repeatable(self, name: str) -> bool:
        return False


def serve(pipe: Any, seconds: float, places: int) -> None:
    """Runs a server in this process; sends its URL, and the number of its tokens when anything is received."""
    torch.set_num_threads(1)
    server = SimulatedServer(load_tokenizer(EMBEDDED), pause=seconds, places=places)
    pipe.send(server.url)
    try:
        pipe.recv()  # until the measurement has ended
    finally:
        pipe.send(server.drawn)
        server.kill()


@contextmanager
def start_servers(count: int, seconds: float, places: int) -> Iterator[list[Connection]]:
    """Starts servers in processes of their own, and ends them; yields the pipes to them."""
    context = multiprocessing.get_context("spawn")
    pairs = [context.Pipe() for _ in range(count)]
    processes = [context.Process(target=serve, args=(theirs, seconds, places), daemon=True) for _, theirs in pairs]
    for process in processes:
        process.start()
    try:
        yield [ours for ours, _ in pairs]
    finally:
        for process in processes:
            process.join()


def play(engine: ServerEngine, episodes: int, tool_seconds: float) -> dict[str, Trajectory]:
    """Returns the trajectories of a synthesis by unit."""
    questions = [Question(f"q-{number}", f"Who wrote opera {number}?", "Beethoven") for number in range(episodes)]
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(RunFolder(Path(folder)))
        pages = SlowPages(tool_seconds)
        conductor = Conductor(scripted_world(engine, lambda question: pages), journal, Gate(), seed=7)
        try:
            conductor.play("synthesis", synthesis(questions, CARD, SETTINGS, Filtering()))
            return dict(journal.state.trajectories)
        finally:
            conductor.close()
            journal.close()


@contextmanager
def copy_without_weights() -> Iterator[str]:
    """Yields a folder with the embedded model's tokenizer: the servers' tokens are to be compared with no weights."""
    with tempfile.TemporaryDirectory() as parent:
        yield shutil.copytree(
            find_model(EMBEDDED), f"{parent}/simulated", ignore=shutil.ignore_patterns("*.safetensors")
        )


def measure(count: int, given: argparse.Namespace) -> tuple[float, dict[str, Trajectory]]:
    """Returns the episodes for each second with so many servers, and the trajectories."""
    with copy_without_weights() as model, start_servers(count, given.token_ms / 1000, given.places) as pipes:
        urls = tuple(pipe.recv() for pipe in pipes)
        lanes = given.lanes or given.episodes
        engine = open_engine(Config(model=Model(model, engine="server", lanes=lanes), server=Server(urls)))
        try:
            began, cpu = time.monotonic(), time.process_time()
            found = play(engine, given.episodes, given.tool_ms / 1000)
            spent, cpu = time.monotonic() - began, time.process_time() - cpu
        finally:
            engine.close()
            for pipe in pipes:
                pipe.send("end")
        drawn = [int(pipe.recv()) for pipe in pipes]
    busy = sum(drawn) * given.token_ms / 1000 / (spent * given.places * count)
    print(
        f"  {count} server{'s' if count > 1 else ' '} {spent:6.1f} s  {len(found) / spent:5.2f} episodes/s  tokens: "
        f"{' + '.join(map(str, drawn))}, places in use: {busy:.0%}; the run itself took {cpu:.1f} CPU s",
        flush=True,
    )
    return len(found) / spent, found


def main() -> None:
    """Measures one server, then two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=32)
    parser.add_argument("--lanes", type=int, default=0, help="episodes at the same time; 0 for all")
    parser.add_argument("--places", type=int, default=4, help="sequences that a server continues at the same time")
    parser.add_argument("--token-ms", type=float, default=20.0)
    parser.add_argument("--tool-ms", type=float, default=300.0)
    given = parser.parse_args()
    print(
        f"synthesis of {given.episodes} episodes, {given.lanes or given.episodes} at once; each server: "
        f"{given.places} sequences, {given.token_ms:g} ms a token; tools {given.tool_ms:g} ms; "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    one, alone = measure(1, given)
    two, both = measure(2, given)
    print(f"  ratio {two / one:.2f} (goal: {GOAL}); trajectories {'equal' if alone == both else 'DIFFER'}")
    if alone != both or len(alone) != given.episodes:
        sys.exit("the two runs did not give the same trajectories")


if __name__ == "__main__":
    main()
