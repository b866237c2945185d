"""What every engine does, whatever runs the model: a test class of an engine inherits these tests.

The model that transformers runs is the reference: every greedy token has to be its likeliest one. A class gives the
fixtures `reference` (the model, in float32) and `engine`, and says with `tie` how far its arithmetic may differ.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor

from autoact.errors import ContextFull, ModelFailed
from autoact.model.engine import Engine, Ticket
from autoact.model.store import Weights, load_model
from autoact.model.tokens import Tokens
from autoact.registry.roles import SUB_AGENTS
from autoact.script import Answer, Ask, Match, Prompt, Sampling
from autoact.trajectory import META

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

LONGEST = 300.0
"""Seconds after which an engine that does not answer fails its test."""
NEVER = ("\x00",)
"""A stop text that never comes."""
CHOICES = (" Retrieve\n", " Lookup\n", " Finish\n")
QUESTIONS = ("Who wrote Fidelio?", "Which opera has the longest overture?", "Where is the Danube?")


def answer_all(engine: Engine, asks: Iterable[tuple[Ticket, Ask]], seed: int = 1) -> dict[Ticket, Answer | ModelFailed]:
    """Submits the asks and steps until every one is answered."""
    tickets = []
    for ticket, ask in asks:
        engine.submit(ticket, ask, seed)
        tickets.append(ticket)
    answers: dict[Ticket, Answer | ModelFailed] = {}
    limit = time.monotonic() + LONGEST
    while not answers.keys() >= set(tickets):
        assert time.monotonic() < limit, f"no answer to {set(tickets) - set(answers)}"
        answers.update(engine.step())
    return answers


def answer_one(engine: Engine, ask: Ask, unit: str = "one", n: int = 0, seed: int = 1) -> Answer:
    """Returns the answer to one ask, which has to have one."""
    answer = answer_all(engine, [(Ticket(unit, n), ask)], seed)[Ticket(unit, n)]
    assert isinstance(answer, Answer), answer
    return answer


def make_ask(prompt: Prompt, limit: int = 8, adapter: str = META, temperature: float = 0.0, **fields: Any) -> Ask:
    """Returns an ask that ends at its limit, unless `fields` say otherwise."""
    return Ask(
        adapter, "thought", prompt, **{"stop": NEVER, **fields}, limit=limit, sampling=Sampling(temperature, 0.95)
    )


def make_prompt(question: str = QUESTIONS[0], *segments: str) -> Prompt:
    """Returns the prompt of a question."""
    return Prompt("Answer in steps.", f"Question: {question}", segments or ("Thought:",))


def make_adapters(weights: Weights, root: Path, scale: float, first: int = 0) -> dict[str, Path]:
    """Writes an untrained LoRA folder for each sub-agent, whose effect grows with `scale`; `first` seeds them."""
    folders: dict[str, Path] = {}
    model = load_model(str(weights.folder), "cpu", "float32").model
    for number, name in enumerate(SUB_AGENTS, first):
        torch.manual_seed(number)
        peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=8, target_modules=["q_proj", "v_proj"]))
        for weight_name, weight in peft.named_parameters():
            if "lora_B" in weight_name:
                torch.nn.init.normal_(weight, std=scale)
        folders[name] = root / name
        peft.save_pretrained(str(folders[name]))
        model = peft.unload()
    return folders


class Reference:
    """The model as transformers and PEFT run it, without a cache or a batch."""

    def __init__(self, weights: Weights, folder: Path | None = None):
        self.tokens = Tokens(weights.tokenizer)
        self.model: Any = weights.model
        if folder is not None:
            own = load_model(str(weights.folder), "cpu", "float32").model
            self.model = PeftModel.from_pretrained(own, str(folder)).eval()

    @torch.inference_mode()
    def logits(self, prompt: Prompt, taken: tuple[int, ...]) -> Tensor:
        """Returns the logits (len(taken), vocabulary) from which each token of an answer is drawn."""
        ids = [*self.tokens.prompt(prompt), *taken[:-1]]
        output = self.model(input_ids=torch.tensor([ids], device=self.model.device), use_cache=False)
        logits: Tensor = output.logits[0, -len(taken) :].float()
        return logits

    def check(self, ask: Ask, answer: Answer, tie: float) -> None:
        """Checks that each token of a greedy answer is the likeliest, or within `tie` (logits) of it."""
        logits = self.logits(ask.prompt, answer.tokens)
        for at, token in enumerate(answer.tokens):
            short = float(logits[at].max() - logits[at, token])
            assert short <= tie, f"token {at} ({token}) is {short:.4f} below the likeliest {int(logits[at].argmax())}"


class EngineConformance:
    """The tests of an engine whose tokens are exact."""

    tie = 1e-3
    """Difference of logits up to which either of two tokens may be the likeliest."""
    adapter_scale = 0.3
    """Standard deviation of the second matrix of the adapters in these tests."""
    reuses_from = 1
    """The turn from which a growing prompt is found in the cache; later where that keeps whole blocks only."""
    both = (" Look", " Look up")
    """Two choices, of which one begins the other, and which the model draws now and then."""
    has_adapters = True
    has_matches = True
    has_chances = True

    @pytest.fixture
    def folders(self, reference: Weights, tmp_path: Path) -> dict[str, Path]:
        """Adapters of the three sub-agents."""
        return make_adapters(reference, tmp_path / "adapters", self.adapter_scale)

    # -- answers -----------------------------------------------------------------------------------------------------

    def test_greedy_tokens_are_the_models(self, engine: Engine, reference: Weights) -> None:
        asks = {Ticket(f"q-{n}", 0): make_ask(make_prompt(text), 8 + n) for n, text in enumerate(QUESTIONS)}
        for ticket, answer in answer_all(engine, asks.items()).items():
            assert isinstance(answer, Answer), answer
            Reference(reference).check(asks[ticket], answer, self.tie)
            assert answer.prompt_tokens == len(Reference(reference).tokens.prompt(asks[ticket].prompt))

    def test_growing_prompts_are_answered_as_fresh_ones(self, engine: Engine, reference: Weights) -> None:
        prompt = make_prompt()
        for n in range(4):
            ask = make_ask(prompt, 6)
            answer = answer_one(engine, ask, "grows", n)
            Reference(reference).check(ask, answer, self.tie)
            if n >= self.reuses_from:
                assert answer.prefilled < answer.prompt_tokens
            prompt = prompt.then(answer.text, "\n", "Observation: It says nothing.\n", "Thought:")

    def test_an_edited_prompt_is_answered_as_it_reads_now(self, engine: Engine, reference: Weights) -> None:
        answer_one(engine, make_ask(make_prompt().then(" It is by Mozart.\n", "Action:")), "edited", 0)
        ask = make_ask(make_prompt().then(" It is by Beethoven.\n", "Action:"))
        Reference(reference).check(ask, answer_one(engine, ask, "edited", 1), self.tie)

    def test_a_stop_text_ends_the_answer_and_is_no_part_of_it(self, engine: Engine) -> None:
        whole = answer_one(engine, make_ask(make_prompt(), 24))
        stop = next((letter for letter in whole.text[3:] if letter.isalpha()), "")
        assert stop, f"no letter to stop at in {whole.text!r}"
        cut = answer_one(engine, make_ask(make_prompt(), 24, stop=(stop,)), "cut")
        assert cut.text == whole.text[: whole.text.index(stop)].rstrip()

    def test_an_answer_is_as_long_as_it_may_and_has_to_be(self, engine: Engine, reference: Weights) -> None:
        assert len(answer_one(engine, make_ask(make_prompt(), 3), "short").tokens) <= 3
        tokens = Tokens(reference.tokenizer)
        asks = {
            Ticket(f"least-{n}", 0): make_ask(make_prompt(text), 12, temperature=1.0, least=6, stop=("\n",))
            for n, text in enumerate(QUESTIONS * 3)
        }
        for ticket, answer in answer_all(engine, asks.items(), 5).items():
            assert isinstance(answer, Answer), answer
            assert 6 <= len(answer.tokens) <= 12, ticket
            assert answer.text.strip()
            assert not set(answer.tokens[:6]) & set(tokens.breaks)

    def test_a_barred_word_begins_no_answer(self, engine: Engine) -> None:
        asks = {
            Ticket(f"barred-{n}", 0): make_ask(make_prompt("Say right.", "Argument:"), 6, temperature=1.2,
                                               barred=("right", "wrong"), least=1)
            for n in range(8)
        }  # fmt: skip
        for seed in (3, 4):
            for answer in answer_all(engine, asks.items(), seed).values():
                assert isinstance(answer, Answer), answer
                assert answer.text.split()[:1] not in (["right"], ["wrong"], ["Right"], ["Wrong"])

    def test_a_choice_is_one_of_the_options_in_the_tokenizers_own_tokens(
        self, engine: Engine, reference: Weights
    ) -> None:
        tokens = Tokens(reference.tokenizer)
        asks = {
            Ticket(f"choice-{n}", 0): make_ask(make_prompt(text, "Action:"), 48, choices=CHOICES, temperature=warmth)
            for n, (text, warmth) in enumerate((text, warmth) for text in QUESTIONS for warmth in (0.0, 1.5))
        }
        for answer in answer_all(engine, asks.items()).values():
            assert isinstance(answer, Answer), answer
            assert answer.text in CHOICES
            assert answer.tokens[: len(tokens.segment(answer.text))] == tokens.segment(answer.text)

    def test_the_probability_of_a_choice_is_the_models_and_a_bias_moves_it(
        self, engine: Engine, reference: Weights
    ) -> None:
        if not self.has_chances:
            assert answer_one(engine, make_ask(make_prompt(), choices=CHOICES), "chance").chance is None
            return
        prompt, choices = make_prompt(QUESTIONS[0], "Action:"), (" Finish\n", " Retrieve\n")
        tokens = Tokens(reference.tokenizer)
        firsts = [tokens.segment(choice)[0] for choice in choices]
        logits = Reference(reference).logits(prompt, (firsts[0],))[0, firsts]
        wanted = dict(zip(choices, logits.softmax(-1).tolist(), strict=True))
        unbiased = float(logits[0] - logits[1])
        for name, bias, likelier in (("plain", 0.0, 0 if unbiased > 0 else 1), ("to", 50.0, 1), ("off", -50.0, 0)):
            answer = answer_one(engine, make_ask(prompt, choices=choices, bias=bias), f"chance-{name}")
            assert answer.text == choices[likelier]
            assert answer.chance == pytest.approx(wanted[answer.text], abs=0.02)

    def test_the_only_choice_and_a_choice_that_begins_another(self, engine: Engine) -> None:
        assert answer_one(engine, make_ask(make_prompt(), choices=(" Finish\n",)), "only").text == " Finish\n"
        ask = make_ask(make_prompt(), choices=self.both, temperature=2.0)  # the most that servers accept
        chosen: set[str] = set()
        for seed in range(8):
            asks = [(Ticket(f"both-{seed}-{n}", 0), ask) for n in range(4)]
            chosen |= {answer.text for answer in answer_all(engine, asks, seed).values() if isinstance(answer, Answer)}
        assert chosen == set(self.both)

    # -- seeds and batches -------------------------------------------------------------------------------------------

    def test_a_seed_gives_the_same_answer_alone_and_in_a_batch(self, engine: Engine) -> None:
        ask = make_ask(make_prompt(), 8, temperature=1.0)
        alone = [answer_one(engine, ask, f"alone-{seed}", seed=seed).tokens for seed in range(6)]
        assert len(set(alone)) > 1
        for seed in range(2):
            asks = [
                (Ticket(f"batch-{seed}-{n}", 0), make_ask(make_prompt(text), 8)) for n, text in enumerate(QUESTIONS)
            ]
            for ticket, other in asks:
                engine.submit(ticket, other, 1)
            assert answer_one(engine, ask, f"again-{seed}", seed=seed).tokens == alone[seed]
            for ticket, _ in asks:
                engine.withdraw(ticket.unit)

    def test_a_withdrawn_ask_has_no_answer_and_its_unit_may_ask_again(self, engine: Engine, reference: Weights) -> None:
        engine.submit(Ticket("gone", 0), make_ask(make_prompt(), 40), 1)
        list(engine.step())
        engine.withdraw("gone")
        ask = make_ask(make_prompt(QUESTIONS[1]), 6)
        answers = answer_all(engine, [(Ticket("stays", 0), ask)])
        assert set(answers) == {Ticket("stays", 0)}
        engine.forget("gone")
        Reference(reference).check(ask, answer_one(engine, ask, "gone", 1), self.tie)

    def test_the_text_so_far_is_the_beginning_of_the_answer(self, engine: Engine) -> None:
        ticket, seen = Ticket("partial", 0), set()
        engine.submit(ticket, make_ask(make_prompt(), 32), 1)
        answers: dict[Ticket, Answer | ModelFailed] = {}
        limit = time.monotonic() + LONGEST
        while not answers and time.monotonic() < limit:
            answers.update(engine.step())
            seen |= {text for at, part, text in engine.partial() if (at, part) == (ticket, "thought")}
        answer = answers[ticket]
        assert isinstance(answer, Answer)
        assert seen
        assert all(answer.text.startswith(text.rstrip().removesuffix("�")) for text in seen)

    def test_a_prompt_longer_than_the_window_is_refused(self, engine: Engine) -> None:
        answers = answer_all(engine, [(Ticket("long", 0), make_ask(make_prompt("Who wrote Fidelio? " * 4000)))])
        assert isinstance(answers[Ticket("long", 0)], ContextFull)
        assert answer_one(engine, make_ask(make_prompt()), "after").tokens

    def test_a_text_matches_the_choice_after_which_it_is_likeliest(self, engine: Engine, reference: Weights) -> None:
        if not self.has_matches:
            pytest.skip("other system: this engine cannot score a text")
        beginnings = ("The weather is", "A question about an opera:", "7 + 5 =")
        ask = Match(
            META, "action", make_prompt(), choices=("a", "b", "c"), beginnings=beginnings, text=" Who wrote Fidelio?"
        )
        tokens, model = Tokens(reference.tokenizer), reference.model
        scores = []
        for beginning in beginnings:
            start, text = tokens.plain(beginning), tokens.segment(ask.text)
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([[*start, *text]])).logits[0].float().log_softmax(-1)
            scores.append(sum(float(logits[len(start) + at - 1, token]) for at, token in enumerate(text)))
        assert answer_one(engine, ask).text == "abc"[max(range(3), key=scores.__getitem__)]

    # -- adapters ----------------------------------------------------------------------------------------------------

    def test_each_role_answers_with_its_adapter(
        self, engine: Engine, reference: Weights, folders: dict[str, Path]
    ) -> None:
        if not self.has_adapters:
            pytest.skip("other system: this engine has no adapters")
        engine.adapt(folders)
        models = {META: Reference(reference)} | {name: Reference(reference, path) for name, path in folders.items()}
        prompt, texts = make_prompt(), set()
        for n, name in enumerate(("plan", "tool", META, "reflect", "plan", META, "tool")):
            ask = make_ask(prompt, 6, name)
            answer = answer_one(engine, ask, "episode", n)
            models[name].check(ask, answer, self.tie)
            texts.add(answer.text)
            prompt = prompt.then(answer.text, "\n")
        assert len(texts) > 2

    def test_roles_that_wait_together_do_not_disturb_each_other(
        self, engine: Engine, reference: Weights, folders: dict[str, Path]
    ) -> None:
        if not self.has_adapters:
            pytest.skip("other system: this engine has no adapters")
        engine.adapt(folders)
        asks = {Ticket(f"role-{name}", 0): make_ask(make_prompt(), 8, name) for name in (META, *folders)}
        for ticket, answer in answer_all(engine, asks.items()).items():
            assert isinstance(answer, Answer), answer
            Reference(reference, folders.get(asks[ticket].adapter)).check(asks[ticket], answer, self.tie)

    def test_a_retrained_adapter_is_never_answered_from_the_old_ones_cache(
        self, engine: Engine, reference: Weights, folders: dict[str, Path], tmp_path: Path
    ) -> None:
        if not self.has_adapters:
            pytest.skip("other system: this engine has no adapters")
        ask = make_ask(make_prompt(), 10, "plan")
        engine.adapt(folders)
        before = answer_one(engine, ask, "retrained", 0)
        make_adapters(reference, tmp_path / "adapters", self.adapter_scale, first=20)  # in the same folders
        engine.adapt(folders)
        after = answer_one(engine, ask, "retrained", 1)
        assert before.tokens != after.tokens
        Reference(reference, folders["plan"]).check(ask, after, self.tie)
