"""The settings of a project or a run: a section for each stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from autoact.registry.roles import SUB_AGENTS
from autoact.trajectory import Cast

ALL_LINEAR = "all-linear"
"""As the only target of an adapter: every linear layer but the last."""

PositiveInt = Annotated[int, Meta(ge=1)]
"""At least one."""
NonNegativeInt = Annotated[int, Meta(ge=0)]
"""Zero or more."""
Fraction = Annotated[float, Meta(ge=0, le=1)]
"""0 to 1."""
NonNegativeFloat = Annotated[float, Meta(ge=0)]
"""A temperature, a learning rate."""
Seconds = Annotated[float, Meta(gt=0, extra={"unit": "seconds"})]
"""A time to wait."""
WholeSeconds = Annotated[int, Meta(ge=1, extra={"unit": "seconds"})]
"""A long time to wait."""


AdapterName = Annotated[str, Meta(pattern=r"^(?!meta$|world$)[a-z][a-z0-9_-]{0,30}$")]
"""The name of a folder, and not that of the base model or the environment."""
PlayedPart = Annotated[str, Meta(pattern=r"^(plan|reflect|tool(:\S+)?)$")]
"""A role whose parts of a turn an adapter writes; `tool:NAME` for the arguments of one tool."""


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """The base class of every section: an unknown key is an error."""


class Task(Section, frozen=True):
    """The target task information: name M and description P (paper, section 3.1)."""

    name: str = "untitled"
    """The name of the task; part of every prompt."""
    description: str = "Answer the question."
    """Part of every prompt."""
    answer: Literal["short", "choice"] = "short"
    """The form of an answer: a few words, or the letter of an option."""
    environment: str = "qa"
    """The world that episodes act in, a name of autoact.registry.environments."""

    def blank_keys(self) -> list[str]:
        """Returns the keys of texts that say nothing, with which old projects and runs are still read."""
        return [f"task.{key}" for key in ("name", "description") if not getattr(self, key).strip()]


class Model(Section, frozen=True):
    """The base model and how it runs."""

    id: str = "smollm2-135m-instruct"
    """A name that `autoact models list` shows, a folder, a .gguf file or a Hugging Face id."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """The device that computes; `auto` takes a GPU if there is one."""
    precision: Literal["auto", "float32", "bfloat16", "float16", "8bit", "4bit"] = "auto"
    """`8bit` and `4bit` round the base model's weights, for a model that does not fit otherwise; they need the extra
    `quantized`."""
    lanes: Annotated[PositiveInt, Meta(extra={"unit": "episodes"})] = 24
    """The most episodes that are answered at the same time."""
    seed: int = 7
    """The seed of every draw: samples, shuffles, initial weights of adapters."""
    engine: str = "local"
    """The kind of engine that runs it, a name of autoact.registry.engines."""
    prompt_price: NonNegativeFloat = 0.0
    """The price of a million encoded prompt tokens, in any currency, for tables of costs; it changes nothing else."""
    generated_price: NonNegativeFloat = 0.0
    """The price of a million generated tokens; if both prices are 0, the tables have no column of money."""


class Server(Section, frozen=True):
    """Servers of the base model, for the engine `server`. Each serves the same model."""

    urls: tuple[str, ...] = ()
    """Their addresses, such as http://127.0.0.1:8000; an episode stays with one of them while it answers."""
    dialect: Literal["auto", "vllm", "sglang", "llamacpp", "openai"] = "auto"
    """Their kind; auto asks the first one."""
    model: str = ""
    """The name under which they serve the base model; empty takes the first that they list."""
    key: str = ""
    """The name of the secret that they ask for; its value never stands in settings."""
    timeout: Seconds = 60.0
    """Seconds without a token after which a request is sent again."""
    sleep: bool = False
    """Puts the servers to sleep while adapters are trained, where both use one card. Only for vLLM with sleep mode, as
    `autoact serve` starts it, and not for servers that other runs use at the same time."""


class Author(Section, frozen=True):
    """A stronger model, on any server with chat completions, that writes in the base model's place."""

    url: str = ""
    """The server's address; empty for no author."""
    model: str = ""
    """The model's name there."""
    key: str = ""
    """The name of the secret that the server asks for."""
    timeout: Seconds = 120.0
    """Seconds without an answer after which a request is sent again."""
    stages: tuple[Literal["self_instruct", "synthesis"], ...] = ("self_instruct", "synthesis")
    """The stages that it writes: questions, trajectories."""


class QuestionShares(Section, frozen=True):
    """The shares of the types of self-made questions, in any unit."""

    one_hop: NonNegativeFloat = 0.0
    """One page has the answer."""
    two_hop: NonNegativeFloat = 0.0
    """A page names another, which has the answer."""
    comparison: NonNegativeFloat = 0.0
    """Which of two subjects, with a page each."""
    yes_no: NonNegativeFloat = 0.0
    """About one page or two."""


class SelfInstruct(Section, frozen=True):
    """Stage 1: the meta-agent writes practice questions."""

    target: Annotated[PositiveInt, Meta(extra={"unit": "questions"})] = 60
    """Questions to accept, the seed examples not counted."""
    round: Annotated[PositiveInt, Meta(extra={"unit": "questions"})] = 24
    """Questions drafted in one round, or clauses of sentences by type."""
    stall: Annotated[PositiveInt, Meta(extra={"unit": "rounds"})] = 3
    """Successive rounds without an accepted question, after which drafting ends."""
    passes: PositiveInt = 3
    """The most passes over the corpus; a single one suffices for facts."""
    temperature: NonNegativeFloat = 0.7
    """Temperature of sampling; 0 always takes the likeliest token."""
    top_p: Fraction = 0.95
    """Samples among the likeliest tokens that together have this probability."""
    similar: float = 85.0
    """Similarity (0 to 100, edit ratio of the normalised texts) from which two questions count as duplicates."""
    by_type: bool = True
    """Composes questions of each type from facts of the corpus. If false, as in the paper, with multiple choice, and
    for what is missing where the rules find few facts in its English, the model writes each question freely."""
    types: QuestionShares = QuestionShares()
    """If all are 0, they follow the types of the seed examples."""
    validation: Fraction = 0.0
    """Share of the self-made questions, of each type, that nothing is trained on: the trained group answers them, and
    the threshold of the verdicts is chosen on these answers."""
    readings: PositiveInt = 1
    """Answers to each fact's question from its page alone that must agree: the likeliest, then samples."""


class ToolSelection(Section, frozen=True):
    """Stage 2: the meta-agent picks the tools the task needs."""

    most: Annotated[PositiveInt, Meta(extra={"unit": "tools"})] = 3
    """The most tools to select."""
    offered: Annotated[PositiveInt, Meta(extra={"unit": "tools"})] = 12
    """The most tools to choose among: of a larger library, those whose descriptions fit the task best."""
    by: Literal["likelihood", "names"] = "likelihood"
    """The way to choose: `likelihood` takes the tools that worked examples use; the model then names more, or, where
    more tools can run than are offered, those are taken after whose description it finds the questions likeliest, which
    small models do far better. `names` has the model name all, as in the paper."""
    temperature: NonNegativeFloat = 0.0
    """Temperature of sampling; 0 always takes the likeliest token."""


class Synthesis(Section, frozen=True):
    """Stage 3: the meta-agent answers every question, step by step."""

    questions: Literal["self", "reference"] = "self"
    """The questions: self-made ones, or the project's reference questions (the paper's control)."""
    samples: Annotated[PositiveInt, Meta(extra={"unit": "trajectories"})] = 4
    """Trajectories per question."""
    further: NonNegativeInt = 0
    """Most further tries of a question while fewer than `filtering.per_question` are kept, so that hard questions get
    more than easy ones."""
    demonstrations: Annotated[NonNegativeInt, Meta(extra={"unit": "examples"})] = 3
    """Seed examples with steps in the meta-agent's prompt, in their order; 0 is the paper's zero-shot synthesis.

    A small model imitates the last one most: after a yes/no example it answers every question with yes or no.
    """
    steps: PositiveInt = 4
    """Most steps of an episode."""
    reflections: NonNegativeInt = 1
    """Most answers that an episode may take back after a verdict of *wrong*."""
    temperature: NonNegativeFloat = 0.6
    """Temperature of sampling; 0 always takes the likeliest token."""
    top_p: Fraction = 0.95
    """Samples among the likeliest tokens that together have this probability."""
    from_facts: bool = True
    """Writes one more trajectory for each question that self-instruct made of facts."""
    repaired: Fraction = 0.25
    """Most failed tries that are called wrong and continued from facts, as a share of the trajectories from facts; only
    the continuation is learned."""
    hinted: NonNegativeInt = 0
    """Further trajectories of each question that none of these answers well; the prompt names the pages that answer
    it, which must be known. They are learned from without that hint (rationalisation, arXiv 2203.14465). It does not
    help a model as small as the embedded one."""


class Filtering(Section, frozen=True):
    """Stage 4: selects the trajectories to learn from."""

    per_question: Annotated[PositiveInt, Meta(extra={"unit": "trajectories"})] = 2
    """Trajectories kept per question, shortest first."""
    grounded: bool = True
    """The answer must occur in an observation (yes/no answers are exempt)."""
    reasoned: bool = True
    """The thought before the answer must contain it: a guess teaches the plan-agent to skip reasoning."""
    everything: bool = False
    """Keeps every trajectory that ended, also with a wrong answer: the paper's ablation without filtering."""


class Differentiation(Section, frozen=True):
    """Stage 5: three LoRA adapters (paper, table of hyper-parameters: r 8, alpha 16, dropout 0.05, q and v)."""

    adapters: dict[AdapterName, tuple[PlayedPart, ...]] = field(
        default_factory=lambda: {name: (name,) for name in SUB_AGENTS}
    )
    """The adapters to train, and the parts that each plays: plan, tool, reflect, or `tool:NAME` for one tool's
    arguments. One adapter for all, three, or one for each tool are three such tables."""
    adapter: Literal["lora", "alora"] = "lora"
    """`alora` is active only from the last words that open its turn (Activated LoRA, arXiv 2504.12397): what comes
    before is encoded by the base model alone, once for all adapters. It trains several times faster."""
    rank: PositiveInt = 8
    """The rank of each adapter."""
    alpha: PositiveInt = 16
    """The scale of an adapter is alpha divided by the rank."""
    rslora: bool = False
    """Divides alpha by the root of the rank in place of the rank (rank-stabilised LoRA), for ranks above 8."""
    dropout: Fraction = 0.05
    """Dropout of the adapters while they are trained."""
    targets: tuple[str, ...] = ("q_proj", "v_proj")
    """Names of the linear layers with an adapter; `all-linear` alone means all but the last."""
    learning_rate: NonNegativeFloat = 1e-3
    """The peak learning rate; it falls to zero along a cosine."""
    epochs: PositiveInt = 3
    """Passes over all trajectories."""
    batch: Annotated[PositiveInt, Meta(extra={"unit": "trajectories"})] = 2
    """Trajectories per optimiser step."""
    warmup: Fraction = 0.03
    """Share of the steps in which the learning rate rises."""
    demonstrations: Annotated[NonNegativeInt, Meta(extra={"unit": "examples"})] = 0
    """Seed examples in the sub-agents' prompt; they have learned the form, so none are needed."""
    wrong_share: Fraction = 0.5
    """Share of wrong trajectories among those that the reflect-agent learns from: first mistakes written from facts,
    then tries whose answer an observation contains, then others."""
    trajectories: Annotated[NonNegativeInt, Meta(extra={"unit": "trajectories"})] = 0
    """The most kept trajectories to learn from, drawn with the seed; 0 means all. A larger number includes those of a
    smaller one."""
    failures: Literal["none", "prefix", "preference"] = "none"
    """Whether the plan- and tool-agent learn from failed tries of synthesis. `prefix` adds some as lessons, with a line
    in the prompt that says that the try fails (negative-aware training, arXiv 2402.11651); answering never has that
    line. `preference` makes a failed try less likely than the kept one of the same question, by a term that is added to
    the loss (ORPO, arXiv 2403.07691)."""
    most_steps: Annotated[NonNegativeInt, Meta(extra={"unit": "steps"})] = 0
    """Most steps of an adapter, also within an epoch; 0 for no limit. The reflect-agent has the most lessons."""
    enough_loss: Annotated[NonNegativeFloat, Meta(extra={"unit": "nats"})] = 0.0
    """Ends the training of an adapter when the mean loss of its last 20 steps is below this, in nats per token; 0 never
    does."""
    validation: Fraction = 0.0
    """Share of the questions with a kept trajectory that no adapter learns from: the loss on their trajectories is
    measured before every checkpoint."""
    patience: Annotated[NonNegativeInt, Meta(extra={"unit": "measurements"})] = 0
    """Ends the training of an adapter when so many measurements of the validation loss did not fall below the lowest
    one, and keeps the weights of that one; 0 trains to the end and keeps the last weights."""
    save_every: Annotated[PositiveInt, Meta(extra={"unit": "steps"})] = 20
    """Optimiser steps between checkpoints."""
    executor: Literal["here", "local", "slurm"] = "here"
    """`here` trains one adapter after the other on the run's own model; `local` and `slurm` train all at the same time,
    each as a job with a model of its own, in processes of this machine or on a Slurm cluster."""
    processes: PositiveInt = 1
    """Processes that share the forward passes of each step, one for each GPU, say; with fewer passes some wait."""

    def cast(self) -> Cast:
        """Returns the cast of these adapters."""
        return Cast("group", {part: name for name, parts in self.adapters.items() for part in parts})


def trained_cast(config: Mapping[str, Any]) -> Cast:
    """Returns the cast of the adapters that a run trains, from its settings as the log has them."""
    section = config.get("differentiation")
    adapters = section.get("adapters") if isinstance(section, Mapping) else None
    try:
        return msgspec.convert({"adapters": adapters} if adapters else {}, Differentiation).cast()
    except msgspec.ValidationError:
        return Differentiation().cast()


class GroupPlanning(Section, frozen=True):
    """Stage 6: the three sub-agents together answer the held-out questions."""

    limit: Annotated[NonNegativeInt, Meta(extra={"unit": "questions"})] = 0
    """Held-out questions to answer; 0 means all."""
    tokens: Annotated[NonNegativeInt, Meta(extra={"unit": "tokens"})] = 0
    """Most tokens that a method generates for a question, so that methods are compared at equal cost: those of several
    attempts make attempts until it is reached, others end there. 0 means no limit."""
    compare: tuple[str, ...] = ("meta", "group")
    """Methods that answer them, names of autoact.registry.methods."""
    temperature: NonNegativeFloat = 0.0
    """Temperature of sampling; 0 always takes the likeliest token."""
    top_p: Fraction = 1.0
    """Samples among the likeliest tokens that together have this probability."""
    steps: PositiveInt = 6
    """Most steps of an episode."""
    reflections: NonNegativeInt = 1
    """Most answers that an episode may take back after a verdict of *wrong*."""
    certainty: bool = True
    """Verdicts whose threshold was chosen in validation also depend on how certain the plan-agent was of its thoughts,
    and on whether it made a call twice: the log-odds of its least certain token are added to those of *wrong*. Engines
    that do not tell probabilities leave it out."""
    checks: bool = True
    """An answer that can hardly be right is judged wrong, whatever the reflect-agent thinks: one that stands in the
    question, is none of the alternatives of `..., A or B?`, is no year or number where one is asked for, was never
    read, or is *no* where the pages say in the question's words that it is so. The next one is chosen among what was
    read or offered. If a thought found what only the question says, or what no sentence says that names what is needed,
    that is chosen among the words of the last page."""
    offered: bool = True
    """If a page was not found and the tool named similar ones, its next call opens the one that the thought named, else
    the first; no answer is given before a page is found."""
    yes_no: bool = True
    """Questions that begin with an auxiliary verb, such as `Is` or `Did`, and offer no alternative, are answered with
    yes or no."""
    keep: Literal["last", "best"] = "best"
    """The answer of an episode with several: `best` is the one with the lowest probability of *wrong*. Without a
    threshold from validation it is the last one."""


class SessionSettings(Section, frozen=True):
    """A live session: the model stays loaded between the questions of a person."""

    idle: WholeSeconds = 900
    """Seconds without a question after which the session ends."""


class Games(Section, frozen=True):
    """The text games that self-instruct makes, for the environment `textworld`."""

    rooms: Annotated[int, Meta(ge=1, le=20)] = 2
    """Rooms of a game."""
    objects: Annotated[int, Meta(ge=1, le=99)] = 4
    """Things and containers, without those that a goal needs."""
    goals: Annotated[int, Meta(ge=1, le=9)] = 1
    """Each is an equal share of the score."""
    commands: Annotated[int, Meta(ge=1, le=20)] = 3
    """Most commands that a goal needs."""
    seed: Annotated[int, Meta(ge=0, le=10**8)] = 1
    """The seed of the first game; each further game has the next one."""
    timeout: Seconds = 60.0
    """Seconds in which a game has to be made, or a command carried out."""


class Plan(Section, frozen=True):
    """The plan of one run, written by the commands, not by hand."""

    stages: tuple[str, ...] = ()
    """Stages to run, in the pipeline's order."""
    base: str = ""
    """A run of the same project whose results replace those of skipped stages."""
    data: str = ""
    """A file of questions to answer instead of the held-out ones; its paragraphs replace the corpus."""
    columns: dict[str, str] = {}
    """The names of that file's columns, by what they are here: question, answer, id, choices, level, type."""
    question: str = ""
    """One question to answer instead of the held-out ones."""
    round: NonNegativeInt = 0
    """If not 0, the group of the base run tries the practice questions again, and what is kept is added to what the
    base run kept."""
    imported: str = ""
    """The file that the trajectories of an imported run came from."""
    without: tuple[str, ...] = ()
    """Units of trajectories of the base run that are left out, so that nothing is trained on them."""
    skips: tuple[str, ...] = ()
    """Stages that neither this run nor its base needs to have played, as for the meta-agent alone, which needs no
    training."""


class Config(Section, frozen=True):
    """All settings of a run; written once into the run's folder."""

    run: Plan = Plan()
    task: Task = Task()
    model: Model = Model()
    server: Server = Server()
    author: Author = Author()
    self_instruct: SelfInstruct = SelfInstruct()
    tool_selection: ToolSelection = ToolSelection()
    synthesis: Synthesis = Synthesis()
    filtering: Filtering = Filtering()
    differentiation: Differentiation = Differentiation()
    group_planning: GroupPlanning = GroupPlanning()
    session: SessionSettings = SessionSettings()
    games: Games = Games()
