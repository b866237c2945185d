"""The local engine answers exactly as the model alone would, whatever is cached, batched or worn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor

from autoact.model.engine import Ticket
from autoact.model.local import LONGEST_PASS, LocalEngine, LocalRunning
from autoact.model.store import Weights, load_model
from autoact.registry.roles import SUB_AGENTS
from autoact.script import Answer, Ask, Prompt, Sampling

# peft 0.21 asks transformers 5.23 by an old name
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

Put = tuple[Ticket, Ask]
NEVER = ("\x00",)
"""A stop string that never comes, so that answers run to their limit or the end token."""


class OpenEngine(LocalEngine):
    """The local engine, keeping the logits each token was chosen from."""

    def __init__(self, weights: Weights, lanes: int):
        super().__init__(weights, lanes)
        self.seen: dict[tuple[Ticket, int], Tensor] = {}

    def _take(self, asks: list[LocalRunning], logits: Tensor) -> None:
        for running, row in zip(asks, logits, strict=False):
            self.seen[running.ticket, len(running.taken)] = row.clone()
        super()._take(asks, logits)


def put(engine: LocalEngine, asks: Iterable[Put], seed: int = 1) -> dict[Ticket, Answer]:
    """Submit all asks and step until every one is answered."""
    waiting = 0
    for ticket, ask in asks:
        engine.submit(ticket, ask, seed)
        waiting += 1
    answers: dict[Ticket, Answer] = {}
    for _ in range(2000):
        if len(answers) == waiting:
            return answers
        answers.update(engine.step())
    raise AssertionError("the engine does not come to an end")


def alone(weights: Weights, ask: Ask, seed: int = 1) -> Answer:
    """The answer of an engine that has nothing else to do and remembers nothing."""
    return put(LocalEngine(weights, 1), [(Ticket("alone", 0), ask)], seed)[Ticket("alone", 0)]


def prompt(question: str = "Who wrote Fidelio?", *segments: str) -> Prompt:
    return Prompt("Answer in steps.", f"Question: {question}", segments)


def ask(words: Prompt, limit: int = 6, role: str = "meta", temperature: float = 0.0, **wish: Any) -> Ask:
    return Ask(role, "thought", words, **{"stop": NEVER, **wish}, limit=limit, sampling=Sampling(temperature, 0.95))


@torch.inference_mode()
def following(model: Any, ids: list[int], last: int) -> Tensor:
    """Logits after each of the last `last` ids, from one pass over all of them: no cache, no batch."""
    output = model(input_ids=torch.tensor([ids], device=model.device), use_cache=False)
    logits: Tensor = output.logits[0, -last:].float()
    return logits


def ids_of(weights: Weights, words: Prompt) -> list[int]:
    """Token ids of a prompt, computed without the engine's own tokeniser."""
    messages = [{"role": "system", "content": words.system}, {"role": "user", "content": words.user}]
    opening = weights.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    parts = [opening, *words.segments]
    return [one for part in parts for one in weights.tokenizer(part, add_special_tokens=False)["input_ids"]]


def check(engine: OpenEngine, model: Any, ticket: Ticket, asked: Ask, answer: Answer) -> None:
    """Every token of a greedy answer follows from the model alone, and so do the logits it came from."""
    ids = ids_of(engine.weights, asked.prompt)
    assert answer.prompt_tokens == len(ids)
    wanted = following(model, [*ids, *answer.tokens[:-1]], len(answer.tokens))
    for number, token in enumerate(answer.tokens):
        if (ticket, number) in engine.seen:  # a token that was forced has no logits
            torch.testing.assert_close(engine.seen[ticket, number], wanted[number], atol=1e-3, rtol=0)
            assert asked.choices or token == int(wanted[number].argmax())


Make = Callable[[Weights, float], dict[str, Path]]


@pytest.fixture
def random_adapters(tmp_path: Path) -> Make:
    """Three untrained LoRA folders whose effect is strong, made on a copy of a model."""

    def make(weights: Weights, scale: float) -> dict[str, Path]:
        folders: dict[str, Path] = {}
        model = load_model(str(weights.folder), "cpu", "float32").model
        for number, role in enumerate(SUB_AGENTS):
            torch.manual_seed(number)
            peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"]))
            for name, weight in peft.named_parameters():
                if "lora_B" in name:
                    torch.nn.init.normal_(weight, std=scale)
            folders[role] = tmp_path / role
            peft.save_pretrained(str(folders[role]))
            model = peft.unload()
        return folders

    return make


def dressed(weights: Weights, folder: Path, model: Any = None) -> Any:
    """A model of its own that wears one adapter and nothing else."""
    model = model or load_model(str(weights.folder), "cpu", "float32").model
    return PeftModel.from_pretrained(model, str(folder)).eval()


# -- a reused cache --------------------------------------------------------------------------------------------------


def episode(engine: OpenEngine, model: Any, words: Prompt, *, unit: str = "t", role: str = "meta") -> Prompt:
    """Thought, action, argument and observation, each ask growing from the last answer, and each one checked."""
    for n, (limit, choices) in enumerate([(6, ()), (48, (" Retrieve\n", " Lookup\n", " Finish\n")), (5, ())]):
        ticket, asked = Ticket(unit, n), ask(words, limit, role, choices=choices)
        answer = put(engine, [(ticket, asked)])[ticket]
        check(engine, model, ticket, asked, answer)
        words = words.then(answer.text, "\n", "Argument:")
    return words.then(" It says nothing.\n", "Thought:")


def test_growing_episode_equals_the_model_without_a_cache(weights: Weights) -> None:
    engine = OpenEngine(weights, 3)
    words = prompt()
    for _ in range(3):
        words = episode(engine, weights.model, words)


def test_only_new_tokens_are_encoded(weights: Weights) -> None:
    engine, first = LocalEngine(weights, 2), ask(prompt("Who wrote Fidelio?", "Thought:"))
    one = put(engine, [(Ticket("t", 0), first)])[Ticket("t", 0)]
    new = weights.tokenizer.decode(one.tokens[:-1])
    grown = first.prompt.then(new, "Action:")
    other = put(engine, [(Ticket("t", 1), ask(grown))])[Ticket("t", 1)]
    assert one.prefilled == one.prompt_tokens
    assert other.prefilled <= len(weights.tokenizer(new + "Action:")["input_ids"]) + 1 < other.prompt_tokens


def test_a_step_is_one_short_pass_and_the_answer_is_the_same(weights: Weights) -> None:
    """Commands are obeyed between two steps: neither a long prompt nor many lanes may make one long."""
    passes: list[tuple[int, int]] = []

    def count(model: Any, arguments: Any, named: dict[str, Any]) -> None:
        passes.append(tuple(named["input_ids"].shape))

    engine, asked = OpenEngine(weights, 4), {}
    for number in range(4):
        words = prompt("Who wrote Fidelio? " * 40 * (number + 1), " Thought:")
        asked[Ticket(f"t-{number}", 0)] = ask(words)
        engine.submit(Ticket(f"t-{number}", 0), asked[Ticket(f"t-{number}", 0)], 1)
    handle = engine.model.register_forward_pre_hook(count, with_kwargs=True)
    answers: dict[Ticket, Answer] = {}
    while len(answers) < len(asked):
        before = len(passes)
        answers.update(engine.step())
        assert len(passes) <= before + 1
    handle.remove()
    assert LONGEST_PASS <= max(length for _, length in passes) < LONGEST_PASS + 4
    assert {rows for rows, _ in passes} == {1}
    for ticket, answer in answers.items():
        check(engine, weights.model, ticket, asked[ticket], answer)


def test_an_edited_answer_rewinds_the_cache(weights: Weights) -> None:
    engine, words = OpenEngine(weights, 2), prompt("Who wrote Fidelio?", "Thought:")
    put(engine, [(Ticket("t", 0), ask(words, 12))])
    edited = ask(words.then(" I know it is by Beethoven.\n", "Action:"), 8)
    answer = put(engine, [(Ticket("t", 1), edited)])[Ticket("t", 1)]
    check(engine, weights.model, Ticket("t", 1), edited, answer)
    shorter = ask(prompt("Who wrote Fidelio?"), 8)
    check(engine, weights.model, Ticket("t", 2), shorter, put(engine, [(Ticket("t", 2), shorter)])[Ticket("t", 2)])


def test_a_unit_takes_the_beginning_it_shares_with_another(weights: Weights) -> None:
    engine = OpenEngine(weights, 3)
    first, second = prompt("Who?", "Thought: one", "Action:"), prompt("Who?", "Thought: one", " more", "Action:")
    put(engine, [(Ticket("a", 0), ask(first))])
    asked = ask(second)
    answer = put(engine, [(Ticket("b", 0), asked)])[Ticket("b", 0)]
    assert answer.prefilled < answer.prompt_tokens // 2
    check(engine, weights.model, Ticket("b", 0), asked, answer)
    again = ask(first, 9)  # the giver's own row is as it was
    check(engine, weights.model, Ticket("a", 1), again, put(engine, [(Ticket("a", 1), again)])[Ticket("a", 1)])


def test_rows_of_finished_units_are_used_again(weights: Weights) -> None:
    engine = OpenEngine(weights, 2)
    for number in range(6):
        unit = f"t-{number}"
        episode(engine, weights.model, prompt(f"Question {number}?"), unit=unit)
        engine.forget(unit)


def test_episodes_share_their_beginning_and_leave_it(weights: Weights) -> None:
    """Two begin alike and share that; then one is edited back into it, and one begins anew in the same row."""
    engine, common = OpenEngine(weights, 2), "Who wrote Fidelio, and when was that? " * 4
    asked = [ask(prompt(common, f"Thought: {name}")) for name in ("one", "two")]
    asked += [ask(prompt(common + "No, wait.")), ask(prompt(common, "Thought: one", " and more")), ask(prompt("Why?"))]
    for n, one in enumerate(asked):
        ticket = Ticket("ab"[n % 2], n)
        check(engine, weights.model, ticket, one, put(engine, [(ticket, one)])[ticket])
        assert bool(engine.rows.prefixes) == (n > 0)


def test_a_row_that_shared_a_beginning_serves_another_adapter(weights: Weights, random_adapters: Make) -> None:
    folders = random_adapters(weights, 0.3)
    engine, words = OpenEngine(weights, 1), prompt("Who wrote Fidelio, and when was that? " * 4)
    engine.adapt(folders)
    put(engine, [(Ticket("a", 0), ask(words))])
    put(engine, [(Ticket("b", 0), ask(words))])
    assert all(row.shared for row in engine.rows.rows)
    engine.forget("a")
    asked = ask(words, 5, "plan")
    answer = put(engine, [(Ticket("c", 0), asked)])[Ticket("c", 0)]
    check(engine, dressed(weights, folders["plan"]), Ticket("c", 0), asked, answer)


# -- adapters --------------------------------------------------------------------------------------------------------


def test_three_adapters_take_turns_in_one_episode(weights: Weights, random_adapters: Make) -> None:
    folders = random_adapters(weights, 0.3)
    models = {role: dressed(weights, folder) for role, folder in folders.items()}
    models["meta"] = load_model(str(weights.folder), "cpu", "float32").model
    engine, words = OpenEngine(weights, 2), prompt()
    engine.adapt(folders)
    said: dict[str, set[str]] = {role: set() for role in models}
    turns: tuple[str, ...] = ("plan", "tool", "reflect", "meta", "plan", "plan", "tool", "meta", "reflect")
    for n, role in enumerate(turns):
        ticket, asked = Ticket("t", n), ask(words, 5, role)
        answer = put(engine, [(ticket, asked)])[ticket]
        check(engine, models[role], ticket, asked, answer)
        said[role].add(answer.text)
        words = words.then(answer.text, "\n")
    assert len(set.union(*said.values())) > 3


def test_roles_that_wait_together_do_not_disturb_each_other(weights: Weights, random_adapters: Make) -> None:
    folders = random_adapters(weights, 0.3)
    models = {role: dressed(weights, folder) for role, folder in folders.items()}
    models["meta"] = load_model(str(weights.folder), "cpu", "float32").model
    engine = OpenEngine(weights, 5)
    engine.adapt(folders)
    roles: tuple[str, ...] = ("plan", "tool", "meta", "reflect", "plan")
    asks = {Ticket(f"t-{n}", 0): ask(prompt("Who?" * (n + 1)), 4 + n, role) for n, role in enumerate(roles)}
    answers = put(engine, asks.items())
    for ticket, asked in asks.items():
        check(engine, models[asked.adapter], ticket, asked, answers[ticket])


def test_other_adapters_replace_the_first_and_release_gives_the_bare_model_back(
    weights: Weights, random_adapters: Make
) -> None:
    engine, asked = OpenEngine(weights, 1), ask(prompt(), 5, "plan")
    engine.adapt(random_adapters(weights, 0.3))
    put(engine, [(Ticket("t", 0), asked)])
    folders = random_adapters(weights, 0.6)
    engine.adapt(folders)
    answer = put(engine, [(Ticket("t", 1), asked)])[Ticket("t", 1)]
    check(engine, dressed(weights, folders["plan"]), Ticket("t", 1), asked, answer)
    engine.release()
    bare = load_model(str(weights.folder), "cpu", "float32").model
    assert set(engine.model.state_dict()) == set(bare.state_dict())
    meta = ask(prompt(), 5)
    check(engine, bare, Ticket("t", 2), meta, put(engine, [(Ticket("t", 2), meta)])[Ticket("t", 2)])


# -- batches ---------------------------------------------------------------------------------------------------------

SIX = [ask(prompt("Who wrote Fidelio, and when? " * (1 + n * n), *["Thought:"] * n), 4 + n) for n in range(6)]


def test_a_batch_says_what_each_would_alone(weights: Weights) -> None:
    together = put(LocalEngine(weights, 6), [(Ticket(f"t-{n}", 0), one) for n, one in enumerate(SIX)])
    for n, one in enumerate(SIX):
        assert together[Ticket(f"t-{n}", 0)].tokens == alone(weights, one).tokens


def test_asks_join_and_leave_a_running_batch(weights: Weights) -> None:
    engine, answers = OpenEngine(weights, 6), dict[Ticket, Answer]()
    waiting = [(Ticket(f"t-{n}", 0), one) for n, one in enumerate(SIX)]
    for turn in range(200):
        if turn % 2 == 0 and waiting:
            engine.submit(*waiting.pop(0), 1)
        answers.update(engine.step())
    assert len(answers) == 6
    for n, one in enumerate(SIX):
        ticket = Ticket(f"t-{n}", 0)
        check(engine, weights.model, ticket, one, answers[ticket])
        assert answers[ticket].tokens == alone(weights, one).tokens


def test_a_sample_depends_on_its_seed_and_not_on_its_company(weights: Weights) -> None:
    asks = [(Ticket(f"t-{n}", 0), ask(one.prompt, 8, temperature=1.0)) for n, one in enumerate(SIX)]
    together = put(LocalEngine(weights, 6), asks, seed=11)
    for ticket, asked in asks:
        assert together[ticket].tokens == alone(weights, asked, seed=11).tokens
    others = put(LocalEngine(weights, 6), asks, seed=12)
    assert [one.tokens for one in others.values()] != [one.tokens for one in together.values()]


def test_more_asks_than_lanes_are_answered_as_well(weights: Weights) -> None:
    together = put(LocalEngine(weights, 2), [(Ticket(f"t-{n}", 0), one) for n, one in enumerate(SIX)])
    for n, one in enumerate(SIX):
        assert together[Ticket(f"t-{n}", 0)].tokens == alone(weights, one).tokens


# -- the embedded model ----------------------------------------------------------------------------------------------


@pytest.mark.model
def test_embedded_model_answers_an_episode_exactly(embedded: Weights) -> None:
    engine = OpenEngine(embedded, 2)
    words = episode(engine, embedded.model, prompt("Who wrote Fidelio?", "Thought:"))
    grown = ask(words, 2)
    check(engine, embedded.model, Ticket("t", 3), grown, put(engine, [(Ticket("t", 3), grown)])[Ticket("t", 3)])


@pytest.mark.model
def test_embedded_model_with_three_adapters(embedded: Weights, random_adapters: Make) -> None:
    folders = random_adapters(embedded, 0.02)
    engine, words = OpenEngine(embedded, 2), prompt("Who wrote Fidelio?", "Thought:")
    engine.adapt(folders)
    asked: list[tuple[Ticket, Ask, Answer]] = []
    try:
        for n, role in enumerate((*SUB_AGENTS, SUB_AGENTS[0])):
            ticket, one = Ticket("t", n), ask(words, 3, role)
            asked.append((ticket, one, put(engine, [(ticket, one)])[ticket]))
            words = words.then(asked[-1][2].text, "\n", "Argument:")
    finally:
        engine.release()
    for role, folder in folders.items():
        model = dressed(embedded, folder, engine.model)
        for ticket, one, answer in asked:
            if one.adapter == role:
                check(engine, model, ticket, one, answer)
        model.unload()


@pytest.mark.model
def test_embedded_model_says_the_same_in_a_batch(embedded: Weights) -> None:
    asks = [ask(prompt("Who wrote Fidelio? " * (1 + n), *["Thought:"] * n), 3) for n in range(4)]
    together = put(LocalEngine(embedded, 4), [(Ticket(f"t-{n}", 0), one) for n, one in enumerate(asks)])
    for n, one in enumerate(asks):
        assert together[Ticket(f"t-{n}", 0)].tokens == alone(embedded, one).tokens
