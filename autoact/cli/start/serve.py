"""`autoact serve`: prints, or starts, the server that fits a project, and the settings that use it."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from autoact.cli.project.trust import add_trust, open_trusted_project

if TYPE_CHECKING:
    from autoact.project.config import Config, Differentiation
    from autoact.project.project import Project

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks of LoRA adapters that vLLM reserves memory for."""
CHARACTERS = 3
"""Characters of a token, at least, so that an estimated prompt is too long rather than too short."""
STEP_TOKENS = 24
"""Tokens of a step beside thought, argument and observation: labels and the tool's name."""
ROUNDING = 256
"""The length that a server is started with is a multiple of this."""
FEW_BITS = {"4bit": "bitsandbytes", "8bit": "fp8"}
"""The servers' own quantisation that is nearest to a precision of few bits."""


class Served(NamedTuple):
    """The facts that a server has to know."""

    model: str
    """A folder, a .gguf file or a Hugging Face id."""
    config: Config
    host: str
    port: int
    length: int
    """Tokens of the longest prompt with its answer."""
    cards: int
    local: bool
    """Whether only this machine can reach the server."""


class ServeCommand(NamedTuple):
    """A program with its arguments and environment."""

    words: tuple[str, ...]
    environment: dict[str, str]

    def line(self) -> str:
        """Returns the command as a shell reads it."""
        return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in self.environment.items()),
                         shlex.join(self.words)])  # fmt: skip


class ServerKind(NamedTuple):
    """A kind of server."""

    command: Callable[[Served], ServeCommand]
    port: int
    variable: str
    """The environment variable that names the program, or the Python beside it, where it is not on the PATH."""
    install: str


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "serve", help="print or start the model server for a project",
        description="Prints the command of a server with the project's model, adapters and prompt lengths, and the "
        "lines of project.toml that use it. It listens on this machine only, unless --host says otherwise.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("--dialect", choices=tuple(DIALECTS), default="vllm", help="the kind of server (vllm)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (8000 for vllm, 30000 for sglang, 8080 for llamacpp)")
    parser.add_argument("--cards", type=int, help="GPUs to divide the model among (as many as it needs)")
    parser.add_argument("--start", action="store_true", help="start the server in the foreground")
    parser.add_argument("--json", action="store_true", help="print command and settings as JSON")
    add_trust(parser)
    parser.set_defaults(run=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Prints the command and the settings, and starts it with --start. Raises BadInput and BadProject."""
    from autoact.cli.output import print_json, printable
    from autoact.project.project import Project

    project = open_trusted_project(arguments) if arguments.start else Project.open(arguments.project)
    served = describe(project, arguments)
    command = DIALECTS[arguments.dialect].command(served)
    settings = list(_settings(served, arguments.dialect))
    if arguments.json:
        print_json({"command": command.words, "environment": command.environment, "settings": "\n".join(settings)})
    else:
        for line in [command.line(), "", "# project.toml", *settings, *_warnings(served)]:
            print(printable(line))
    return start(command, DIALECTS[arguments.dialect]) if arguments.start else 0


def describe(project: Project, arguments: argparse.Namespace) -> Served:
    """Returns what the server has to know. Raises BadInput."""
    from autoact.errors import BadInput
    from autoact.model.store import find_served

    config = project.config()
    if config.model.id.startswith("-"):
        raise BadInput(
            "expected the name of a model, not an option", file=project.root / "project.toml", key="model.id"
        )
    for name in ("cards", "port"):
        if (value := getattr(arguments, name)) is not None and value < 1:
            raise BadInput(f"expected 1 or more, found {value}", key=f"--{name}")
    model = find_served(config.model.id)
    needed = estimate_tokens(project, config)
    length, cards = _fit(config, needed)
    return Served(
        model, config, arguments.host, arguments.port or DIALECTS[arguments.dialect].port, length,
        arguments.cards or cards, _is_loopback(arguments.host),
    )  # fmt: skip


def estimate_tokens(project: Project, config: Config) -> int:
    """Returns the most tokens of an episode, estimated from the project's own texts and limits. Raises BadInput."""
    from autoact.episode import Limits
    from autoact.job.inputs import open_library
    from autoact.scratchpad import opening
    from autoact.script import Card

    library, corpus = open_library(project)
    corpus.close()
    examples, synthesis, group = project.examples(), config.synthesis, config.group_planning
    shown = [example for example in examples if example.steps][: synthesis.demonstrations]
    card = Card(config.task.description, tuple(library.ready()), tuple(shown))
    questions = [*(one.question for one in examples), *project.questions("reference"), *project.questions("heldout")]
    longest = max(questions, key=lambda one: len(one.text) + sum(map(len, one.choices)))
    prompt = opening(card, longest)
    letters = len(prompt.system) + len(prompt.user) + sum(len(asked) + len(said) for asked, said in prompt.shown)
    seen = max((record.limits.max_chars for record in library.records() if record.runs), default=0)
    letters += seen * sum(not step.observation for example in shown for step in example.steps)  # filled in at the start
    limits = Limits()
    step = limits.thought_tokens + limits.argument_tokens + STEP_TOKENS + seen // CHARACTERS
    turns = max(synthesis.steps + synthesis.reflections, group.steps + group.reflections)
    return letters // CHARACTERS + turns * step


def _fit(config: Config, needed: int) -> tuple[int, int]:
    """Returns the length to serve, within the model's window, and the fewest GPUs; one where its sizes are unknown."""
    from autoact.errors import UnknownModel
    from autoact.model.memory_plan.architecture import read_architecture
    from autoact.model.memory_plan.cards import find_devices
    from autoact.model.memory_plan.needs import Workload
    from autoact.model.memory_plan.plan import make_plan
    from autoact.model.store import find_config

    length = -(-needed // ROUNDING) * ROUNDING
    try:
        model = read_architecture(find_config(config.model.id))
    except UnknownModel:
        return length, 1
    length = min(length, model.context or length)
    devices, precision = find_devices(), config.model.precision
    plan = make_plan(config.model.id, model, devices, Workload(length, config.model.lanes, windowed=True))
    option = next((one for one in plan.options if one.precision == precision), plan.options[0])
    if devices.kind == "cpu":
        return length, 1
    divisors = (count for count in range(max(1, option.cards), len(devices.memory) + 1) if model.heads % count == 0)
    return length, next(divisors, len(devices.memory))


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _settings(served: Served, dialect: str) -> Iterator[str]:
    """Yields the lines of project.toml."""
    from autoact.model.memory_plan.cards import find_devices

    yield from ("[model]", 'engine = "server"', "")
    host = f"[{served.host}]" if ":" in served.host else served.host
    yield from ("[server]", f'urls = ["http://{host}:{served.port}"]', f'dialect = "{dialect}"')
    if dialect == "vllm" and served.local and find_devices().kind == "cuda":
        yield "sleep = true  # while the run trains on the same GPU"


def _warnings(served: Served) -> Iterator[str]:
    if not served.local:
        yield f"# other machines can reach {served.host}: let the server ask for a key, and name it in server.key"


def _plain_adapters(served: Served) -> Differentiation:
    """Returns the settings of the adapters. Raises BadInput for activated ones, which vLLM and SGLang refuse."""
    from autoact.errors import BadInput

    settings = served.config.differentiation
    if settings.adapter != "lora":
        raise BadInput(
            f"vLLM and SGLang serve no {settings.adapter} adapters; expected lora", key="differentiation.adapter"
        )
    return settings


def vllm_command(served: Served) -> ServeCommand:
    """Returns the command of vLLM. Raises BadInput for adapters that it refuses."""
    from autoact.errors import BadInput

    settings = _plain_adapters(served)
    rank = next((rank for rank in RANKS if rank >= settings.rank), None)
    if rank is None:
        raise BadInput(f"vLLM takes ranks up to {RANKS[-1]}, found {settings.rank}", key="differentiation.rank")
    words = [
        "vllm", "serve", served.model, "--host", served.host, "--port", str(served.port),
        *_precision(served, "--dtype"), "--max-model-len", str(served.length),
        "--max-num-seqs", str(served.config.model.lanes), "--tensor-parallel-size", str(served.cards),
        "--enable-prefix-caching", "--enable-prompt-tokens-details",
        "--enable-lora", "--max-loras", str(len(settings.adapters)), "--max-lora-rank", str(rank),
    ]  # fmt: skip
    environment = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1"}
    if served.local:  # whoever reaches the server may put it to sleep
        words.append("--enable-sleep-mode")
        environment["VLLM_SERVER_DEV_MODE"] = "1"
    return ServeCommand(tuple(words), environment)


def sglang_command(served: Served) -> ServeCommand:
    """Returns the command of SGLang. Raises BadInput for adapters that it refuses."""
    settings = _plain_adapters(served)
    targets = ["all"] if settings.targets == ("all-linear",) else settings.targets
    adapters = len(settings.adapters)
    return ServeCommand(
        (
            "python3", "-m", "sglang.launch_server", "--model-path", served.model, "--host", served.host,
            "--port", str(served.port), *_precision(served, "--dtype"), "--context-length", str(served.length),
            "--max-running-requests", str(served.config.model.lanes), "--tp-size", str(served.cards),
            "--enable-lora", "--max-loras-per-batch", str(adapters + 1), "--max-lora-rank", str(settings.rank),
            "--lora-target-modules", *targets, "--enable-memory-saver",
        ),
        {},
    )  # fmt: skip


def llamacpp_command(served: Served) -> ServeCommand:
    """Returns the command of llama.cpp's server. Raises BadInput for a model that is no .gguf file."""
    from autoact.errors import BadInput

    if not served.model.endswith(".gguf"):
        raise BadInput(f"llama-server needs a .gguf file, found {served.model}", key="model.id")
    lanes = served.config.model.lanes
    return ServeCommand(
        (
            "llama-server", "--model", served.model, "--host", served.host, "--port", str(served.port),
            "--parallel", str(lanes), "--ctx-size", str(lanes * served.length), "--n-gpu-layers", "999",
        ),
        {},
    )  # fmt: skip


def _precision(served: Served, option: str) -> list[str]:
    precision = served.config.model.precision
    if precision in FEW_BITS:
        return [option, "bfloat16", "--quantization", FEW_BITS[precision]]
    return [option, precision]


DIALECTS = {
    "vllm": ServerKind(vllm_command, 8000, "AUTOACT_VLLM", "pip install vllm"),
    "sglang": ServerKind(sglang_command, 30000, "AUTOACT_SGLANG_PYTHON", "pip install sglang"),
    "llamacpp": ServerKind(
        llamacpp_command, 8080, "AUTOACT_LLAMA_SERVER", "build llama.cpp, which brings llama-server"
    ),
}


def start(command: ServeCommand, dialect: ServerKind) -> int:
    """Replaces this process by the server. Raises BadInput when its program is not here."""
    import os
    import shutil
    import sys
    from pathlib import Path

    from autoact.errors import BadInput

    name = os.environ.get(dialect.variable) or command.words[0]
    if Path(name).name.startswith("python") and not command.words[0].startswith("python"):
        name = str(Path(name).with_name(command.words[0]))
    program = shutil.which(name)
    if program is None:
        raise BadInput(f"`{name}` is not here; `{dialect.install}`, or name the program in {dialect.variable}")
    sys.stdout.flush()
    os.execve(program, [program, *command.words[1:]], {**os.environ, **command.environment})
