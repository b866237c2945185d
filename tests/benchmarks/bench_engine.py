"""What answering costs on real trajectories: the published loop beside the local engine, in one run on one thread.

Run: make bench-engine, or python tests/benchmarks/bench_engine.py [--questions N] [--published N] [--only WORD]
[--device D] [--precision P], with the embedded model and real trajectories in the folder AUTOACT_SHARED, else
../shared; without them it says so and ends. Every row generates the same tokens, which are forced, so that only the
work differs. Read the CPU seconds and their ratios, not the wall time; on another device the seconds are those of the
clock, and the limits are left out. The published loop takes long, so it answers
only some of the questions; its ratio is of the CPU seconds for each sampled token, over questions of similar length.
With AUTOACT_VLLM, the Python of an environment with vLLM (`make test-server` makes one), group planning has a row for
vLLM with three LoRA adapters on the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from recorded_trajectories import CARD, read_trajectories  # noqa: E402

from autoact import scratchpad  # noqa: E402
from autoact.threads import limit_spinning  # noqa: E402

limit_spinning()
import torch  # noqa: E402
from peft import LoraConfig, PeftModel, get_peft_model  # noqa: E402
from transformers import LogitsProcessor  # noqa: E402

from autoact.model.engine import Ticket  # noqa: E402
from autoact.model.local import LocalEngine, Running  # noqa: E402
from autoact.model.rows import shared_length  # noqa: E402
from autoact.model.sampling import Draw  # noqa: E402
from autoact.model.store import Weights, load_model  # noqa: E402
from autoact.model.tokens import Tokens  # noqa: E402
from autoact.registry.roles import SUB_AGENTS  # noqa: E402
from autoact.script import Ask, Card, Prompt  # noqa: E402
from autoact.trajectory import META, Example, Trajectory  # noqa: E402

SHARED = Path(os.environ.get("AUTOACT_SHARED") or ROOT.parent / "shared")
FILES = "data/trajectories/70b_hotpotqa_200.jsonl"
SIZES = range(500, 1_400)
"""Tokens of the trajectories that are played."""
LANES = 24
INVOCATIONS = {"plan": scratchpad.THOUGHT, "tool": scratchpad.ARGUMENT, "reflect": scratchpad.THOUGHT}


class Turn(NamedTuple):
    """An answer of a trajectory: the adapter that gives it, its prompt, and its tokens."""

    adapter: str
    prompt: Prompt
    ids: tuple[int, ...]


class Cost(NamedTuple):
    """What some episodes cost."""

    cpu: float
    decoded: int
    prefilled: int
    distinct: int
    """Tokens of the whole episodes, each counted once."""
    passes: int = 0


Episodes = list[list[Turn]]


# -- the trajectories ------------------------------------------------------------------------------------------------


def turns(trajectory: Trajectory, card: Card, tokens: Tokens, adapters: bool) -> list[Turn]:
    """Returns the answers of a trajectory; without adapters the base model gives all of them."""
    prompt, found = scratchpad.opening(card, trajectory.question), list[Turn]()
    pieces = scratchpad.pieces(trajectory.steps)
    for (owner, _), group in groupby(pieces, lambda piece: (piece.owner, piece.part)):
        texts = scratchpad.segments(group)
        if owner:
            ids = tuple(one for text in texts for one in tokens.segment(text))
            found.append(Turn(owner if adapters else META, prompt, ids))
        prompt = prompt.then(*texts)
    return found


def episodes(tokens: Tokens, count: int, card: Card, *, adapters: bool) -> Episodes:
    """Returns the turns of so many trajectories, each of a size in SIZES."""
    read = [turns(one, card, tokens, adapters) for one in read_trajectories(SHARED / FILES)]
    bare = len(tokens.prompt(scratchpad.opening(card, next(read_trajectories(SHARED / FILES)).question)))
    fitting = [one for one in read if len(tokens.prompt(one[-1].prompt)) - bare in SIZES]
    return fitting[:count]


def distinct(tokens: Tokens, played: Episodes) -> int:
    """Returns the tokens of these episodes' last prompts; what several begin with is counted once."""
    prompts = sorted(tokens.prompt(one[-1].prompt) for one in played)
    return sum(map(len, prompts)) - sum(shared_length(left, right) for left, right in pairwise(prompts))


# -- ways to answer --------------------------------------------------------------------------------------------------


class ForcedEngine(LocalEngine):
    """The local engine, whose draws may only be the tokens of the trajectories."""

    forced: dict[Ticket, tuple[int, ...]]

    def _draw(self, running: Running) -> Draw:
        wanted = self.forced[running.ticket]
        return super()._draw(running)._replace(allowed=[wanted[len(running.taken)]], forbidden=())

    def _answer(self, running: Running) -> str | None:
        return "" if len(running.taken) == len(self.forced[running.ticket]) else None


def ours(weights: Weights, played: Episodes, folders: dict[str, Path]) -> Cost:
    """Plays all episodes at once, in LANES lanes."""
    engine = ForcedEngine(weights, LANES)
    engine.adapt(folders)
    engine.forced = {
        Ticket(str(number), n): turn.ids for number, one in enumerate(played) for n, turn in enumerate(one)
    }
    began, prefilled, waiting, active = seconds(weights), 0, list(enumerate(played)), 0

    def submit(number: int, n: int) -> None:
        turn = played[number][n]
        engine.submit(Ticket(str(number), n), Ask(turn.adapter, "thought", turn.prompt, limit=len(turn.ids) + 1), 1)

    while waiting or active:
        while waiting and active < LANES:
            submit(waiting.pop(0)[0], 0)
            active += 1
        for ticket, answer in engine.step():
            prefilled += answer.prefilled  # type: ignore[union-attr]
            if ticket.n + 1 < len(played[int(ticket.unit)]):
                submit(int(ticket.unit), ticket.n + 1)
            else:
                engine.forget(ticket.unit)
                active -= 1
    cpu = seconds(weights) - began
    engine.release()
    return Cost(cpu, decoded(played), prefilled, distinct(engine.tokens, played), engine.passes)


class Force(LogitsProcessor):
    """Makes `generate` take these tokens."""

    def __init__(self, start: int, ids: Sequence[int]):
        self.start, self.ids = start, ids

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        scores[:, self.ids[input_ids.shape[1] - self.start]] = torch.inf
        return scores


@torch.inference_mode()
def published(weights: Weights, played: Episodes, folders: dict[str, Path]) -> Cost:
    """Plays one episode after the other: `generate` encodes the whole prompt for every answer."""
    model, tokens, prefilled = weights.model, Tokens(weights.tokenizer), 0
    for name, folder in folders.items():
        model = model if isinstance(model, PeftModel) else PeftModel.from_pretrained(model, str(folder), name)
        model.load_adapter(str(folder), name)
    model.eval()
    began = seconds(weights)
    for turn in (turn for one in played for turn in one):
        if folders:
            model.set_adapter(turn.adapter)
        ids = torch.tensor([tokens.prompt(turn.prompt)], device=model.device)
        prefilled += ids.shape[1]
        model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=len(turn.ids),
            eos_token_id=None, pad_token_id=0, logits_processor=[Force(ids.shape[1], turn.ids)],
        )  # fmt: skip
    cpu = seconds(weights) - began
    if folders:
        model.unload()
    return Cost(cpu, decoded(played), prefilled, distinct(tokens, played))


def vllm(weights: Weights, played: Episodes, folders: dict[str, Path]) -> Cost:
    """Has vLLM play all episodes in LANES lanes, in a process of its own; see vllm_turns.py."""
    tokens = Tokens(weights.tokenizer)
    given = {
        "model": str(weights.folder), "precision": str(weights.model.dtype).removeprefix("torch."), "lanes": LANES,
        "adapters": {name: str(folder) for name, folder in folders.items()},
        "episodes": [
            [(turn.adapter, tokens.prompt(turn.prompt), len(turn.ids)) for turn in one if turn.ids] for one in played
        ],
    }  # fmt: skip
    command = [os.environ["AUTOACT_VLLM"], str(Path(__file__).parent / "vllm_turns.py")]
    done = subprocess.run(command, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True)
    cpu, prefilled = json.loads(done.stdout.splitlines()[-1])
    return Cost(cpu, decoded(played), prefilled, distinct(tokens, played))


def decoded(played: Episodes) -> int:
    """Returns the answers' tokens."""
    return sum(len(turn.ids) for one in played for turn in one)


def make_adapters(weights: Weights, root: Path, *, activated: bool) -> dict[str, Path]:
    """Writes three untrained adapters of the published shape, and returns their folders."""
    tokens = Tokens(weights.tokenizer)
    for name in SUB_AGENTS:
        invoked = list(tokens.segment(INVOCATIONS[name])) if activated else None
        settings: Any = {"target_modules": ["q_proj", "v_proj"], "r": 8, "lora_alpha": 16}
        lora = LoraConfig(task_type="CAUSAL_LM", alora_invocation_tokens=invoked, **settings)
        peft = get_peft_model(weights.model, lora)
        peft.save_pretrained(str(root / name))
        peft.unload()
    return {name: root / name for name in SUB_AGENTS}


# -- limits of the machine -------------------------------------------------------------------------------------------


def best_rate(work: Callable[[], Any], amount: float, times: int = 7) -> float:
    """Returns the amount of work for a CPU second, at best."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return amount / min(spent)


def limits(weights: Weights) -> tuple[float, float]:
    """Returns bytes read and floating point operations for a CPU second, as measured now."""
    dtype, size = weights.model.dtype, 2048
    block, left = torch.ones(64 * 2**20, dtype=torch.float32), torch.ones(256, size, dtype=dtype)
    right = torch.ones(size, size, dtype=dtype)
    return best_rate(block.sum, block.nbytes), best_rate(lambda: left @ right, 2 * 256 * size * size)


def seconds(weights: Weights) -> float:
    """Returns the process's CPU seconds, or the clock's when the model is on another device."""
    if weights.model.device.type == "cpu":
        return time.process_time()
    if weights.model.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


# -- the figures -----------------------------------------------------------------------------------------------------


def show(name: str, cost: Cost, base: Cost | None = None) -> None:
    """Prints a row."""
    rate = cost.decoded / cost.cpu
    ratio = f"{rate / (base.decoded / base.cpu):5.1f} x" if base else "       "
    share = cost.prefilled / cost.distinct
    passes = f"{cost.decoded / cost.passes:5.1f} tokens a pass" if cost.passes else ""
    print(
        f"  {name:<28}{cost.cpu:8.1f} CPU s {rate:7.1f} tokens/CPU s {ratio}  prefilled {cost.prefilled:>7} = "
        f"{share:5.2f} of the distinct tokens  {passes}",
        flush=True,
    )


def group_planning(weights: Weights, questions: int, few: int) -> None:
    """Compares three ways of group planning with three adapters."""
    played = episodes(Tokens(weights.tokenizer), questions, CARD, adapters=True)
    print(f"group planning, {len(played)} questions, {sum(map(len, played))} answers; published loop: {few} of them")
    with tempfile.TemporaryDirectory() as plain, tempfile.TemporaryDirectory() as activated:
        lora = make_adapters(weights, Path(plain), activated=False)
        alora = make_adapters(weights, Path(activated), activated=True)
        show("ours, aLoRA", shared := ours(weights, played, alora))
        show("ours, LoRA", each := ours(weights, played, lora))
        others = {"the published loop": published(weights, played[:few], lora)}
        if "AUTOACT_VLLM" in os.environ:
            others["vLLM"] = vllm(weights, played, lora)
    for other, base in others.items():
        show(f"{other}, LoRA", base)
        for name, cost in (("aLoRA", shared), ("LoRA", each)):
            print(f"  {name}: {cost.decoded / cost.cpu / (base.decoded / base.cpu):.1f} times less CPU than {other}")


def synthesis(weights: Weights, questions: int, few: int) -> None:
    """Compares synthesis with demonstrations, in lanes and one episode after the other."""
    tokens, read = Tokens(weights.tokenizer), read_trajectories(SHARED / FILES)
    short = sorted((one for one in read if len(one.steps) > 1), key=lambda one: sum(map(len, map(str, one.steps))))[:2]
    shown = tuple(Example(one.question, one.steps) for one in short)
    played = episodes(tokens, questions, Card(CARD.task, CARD.tools, shown), adapters=False)
    print(f"synthesis, {len(played)} questions, {LANES} lanes; published loop: {few} of them")
    show("ours", cost := ours(weights, played, {}))
    show("published loop", base := published(weights, played[:few], {}))
    print(f"  {cost.decoded / cost.cpu / (base.decoded / base.cpu):.1f} times the published loop for each CPU second")
    if weights.model.device.type != "cpu":
        return
    bandwidth, gemm = limits(weights)
    parameters = sum(weight.numel() for weight in weights.model.parameters())
    reading = cost.passes * parameters * weights.model.dtype.itemsize / bandwidth
    computing = 2 * parameters * (cost.prefilled + cost.decoded) / gemm
    print(
        f"  limits: {bandwidth / 1e9:.1f} GB/s, {gemm / 1e9:.0f} GFLOP/s; reading the weights once a pass takes "
        f"{reading:.1f} CPU s, the products of all tokens {computing:.1f}; the larger is "
        f"{max(reading, computing) / cost.cpu:.0%} of ours"
    )


def warm_session(weights: Weights) -> None:
    """Measures the first token after an observation, in a scratchpad of about 1,000 tokens."""
    engine, spent, new = LocalEngine(weights, 1), list[float](), list[tuple[int, int]]()
    words = "The opera was first played in Vienna and then revised twice by its composer. " * 55
    prompt = Prompt("Answer in steps.", "Who wrote it?", (f"Observation: {words}\n", "Thought:"))
    for n in range(6):
        before = len(engine.tokens.prompt(prompt))
        prompt = prompt.then(f" It says so.\nObservation: Fidelio has two acts, as page {n} tells.\n", "Thought:")
        began = seconds(weights)
        engine.submit(Ticket("t", n), Ask(META, "thought", prompt, limit=1), 1)
        ((_, answer),) = next(answers for _ in range(99) if (answers := list(engine.step())))
        spent.append(1000 * (seconds(weights) - began))
        new.append((answer.prefilled, answer.prompt_tokens - before))  # type: ignore[union-attr]
    assert all(prefilled <= grown + 1 for prefilled, grown in new[1:]), new
    print(
        f"warm session, {before} tokens that grew by {new[-1][1]}: {new[-1][0]} encoded, first token after "
        f"{statistics.median(spent[1:]):.0f} CPU ms (goal: under 250)"
    )


def main() -> None:
    """Runs the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--published", type=int, default=2, help="questions that the published loop answers")
    parser.add_argument("--only", default="", help="group, synthesis or warm")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto")
    given = parser.parse_args()
    if not (SHARED / FILES).exists():
        print(f"skipped: no trajectories at {SHARED / FILES}; set AUTOACT_SHARED to their folder")
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    weights = load_model("smollm2-135m-instruct", given.device, given.precision)
    print(f"{weights.name}, one thread, load {os.getloadavg()[0]:.1f}", flush=True)
    if given.only in ("", "warm"):
        warm_session(weights)
    if given.only in ("", "group"):
        group_planning(weights, given.questions, given.published)
    if given.only in ("", "synthesis"):
        synthesis(weights, 3 * given.questions, given.published)


if __name__ == "__main__":
    main()
