"""What every test may ask for: real data, a new run folder, a process of its own, a tiny model, the embedded one."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoact.run.record.folder import RunFolder, new_run
from autoact.security import trust
from autoact.threads import limit_spinning

if TYPE_CHECKING:
    from autoact.model.store import Weights

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # what tests of several folders share lies there
pytest.register_assert_rewrite("conformance")
TEMPLATE = """{% for m in messages %}<{{ m.role }}>
{{ m.content }}<end>
{% endfor %}<assistant>
"""
WORDS = """Question: Who wrote the opera Fidelio? Thought: I should read the page about it. Action: Retrieve
Argument: Fidelio. Observation: Fidelio is an opera by Beethoven. Action: Lookup Action: Finish Reflect right wrong"""

MOST_WORKERS = 8
MAY_BE_SKIPPED = ("hardware: ", "other system: ", "shared data: ")
"""How the reason of a skip begins when nothing that could be installed would make the test run."""

Python = Callable[..., "subprocess.Popen[str]"]
Obstacle = Callable[[Path], str]
"""Puts something at a path and returns what it is, in words."""


def pytest_configure(config: pytest.Config) -> None:
    """Tests have a state folder of their own, in which the projects and runs they make are trusted.

    They have no defaults, and notify nobody.

    A shell's background jobs ignore ctrl-C, those of nohup hangups, and so would programs that tests interrupt. A
    handler of our own, unlike ignorance, is not inherited. Threads of torch wait as they do in a run.
    """
    state = tempfile.TemporaryDirectory(prefix="autoact-state-")
    os.environ["XDG_STATE_HOME"] = state.name
    os.environ["AUTOACT_NOTIFY"] = str(Path(state.name) / "notify.toml")
    os.environ["AUTOACT_DEFAULTS"] = f"{state.name}/defaults.toml"
    config.add_cleanup(state.cleanup)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, lambda *_: None)
    limit_spinning()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two for each core, as many tests wait for a process or a screen; each takes about half a GB."""
    return min(2 * len(os.sched_getaffinity(0)), MOST_WORKERS)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With AUTOACT_EVERY_TEST set, the tests fail when one was skipped for want of something that can be installed."""
    if os.environ.get("AUTOACT_EVERY_TEST") and session.exitstatus == pytest.ExitCode.OK and skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(config: pytest.Config) -> None:
    for test in skipped(config) if os.environ.get("AUTOACT_EVERY_TEST") else []:
        print(f"skipped, but has to run here: {test}")


def skipped(config: pytest.Config) -> list[str]:
    """Tests that were skipped for a reason that MAY_BE_SKIPPED does not allow."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    reports = terminal.stats.get("skipped", []) if terminal else []
    reasons = {report.nodeid: report.longrepr[2].removeprefix("Skipped: ") for report in reports}
    return [f"{test}: {reason}" for test, reason in reasons.items() if not reason.startswith(MAY_BE_SKIPPED)]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data: AUTOACT_SHARED, else `shared` beside the repository. Skips when it is absent."""
    folder = Path(os.environ.get("AUTOACT_SHARED") or ROOT.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip("shared data: set AUTOACT_SHARED to their folder")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """Of a run that has not begun, in a project that is trusted."""
    trust.mark_trusted(tmp_path)
    return new_run(tmp_path, "test", {}, now=datetime(2026, 11, 22, 14, 30))


@pytest.fixture(params=["a folder", "a named pipe", "a socket", "a device", "a symbolic link"])
def obstacle(request: pytest.FixtureRequest) -> Iterator[Obstacle]:
    """Puts something that is no file at a path, one kind a test. Whoever waits to open it fails the test."""

    def put(path: Path) -> str:
        path.unlink(missing_ok=True)
        match request.param:
            case "a folder":
                path.mkdir()
            case "a named pipe":
                os.mkfifo(path)
            case "a socket":
                with socket.socket(socket.AF_UNIX) as bound, chdir(path.parent):  # its whole path may be too long
                    bound.bind(path.name)
            case "a device":
                try:
                    os.mknod(path, stat.S_IFCHR | 0o600, Path("/dev/zero").stat().st_rdev)
                except PermissionError:
                    pytest.skip("devices may not be made here")
            case _:
                path.symlink_to("/dev/zero")
        return str(request.param)

    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("no end: something waits here"))
    signal.alarm(60)
    yield put
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def python() -> Iterator[Python]:
    """Starts a few lines of Python, with arguments, in a process that does not outlive the test."""
    with ExitStack() as started:

        def start(code: str, *arguments: object) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-c", code, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            started.callback(_ended, process)
            return process

        yield start


def _ended(process: subprocess.Popen[str]) -> None:
    """No process and no pipe outlives its test."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe and not pipe.closed:
            with suppress(BrokenPipeError):
                pipe.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random two-layer Llama and a byte-level tokenizer with a chat template; the same every time."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny") / "tiny-llama"
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=letters, special_tokens=["<end>"], show_progress=False
    )
    plain.train_from_iterator([WORDS], trainer)
    PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<end>", chat_template=TEMPLATE).save_pretrained(folder)
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=plain.get_vocab_size(), hidden_size=64, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=4096, initializer_range=0.2,
        eos_token_id=0, bos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def weights(tiny: Path) -> Weights:
    """The tiny model, loaded afresh."""
    from autoact.model.store import load_model

    return load_model(str(tiny), device="cpu", precision="float32")


@pytest.fixture(scope="session")
def embedded() -> Weights:
    """The embedded model in float32 on the CPU. Skips when neither the cache nor the package has it."""
    from autoact.model import store

    cached = (store.cache_folder() / store.EMBEDDED / "config.json").exists()
    if not cached and importlib.util.find_spec(store.EMBEDDED_PACKAGE) is None:
        pytest.skip("the embedded model's package is not installed")
    return store.load_model(store.EMBEDDED, device="cpu", precision="float32")
