"""The engine of servers passes the tests of every engine over a real vLLM server with the embedded model.

AUTOACT_VLLM names the Python of an environment with vLLM; `make test-server` makes one and runs these tests.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from conformance import EngineConformance, make_ask, make_prompt

from autoact.errors import BadInput
from autoact.model.engine import Engine, Ticket
from autoact.model.server.engine import ServerEngine
from autoact.model.server.opening import open_engine
from autoact.model.store import Weights
from autoact.project.config import Config, Model, Server
from autoact.script import Answer

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]

START = 600.0
"""Seconds in which the server must answer."""
SETTINGS = {
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE",
}  # fmt: skip
OPTIONS = (
    "--host", "127.0.0.1", "--dtype", "float32", "--max-model-len", "2048", "--block-size", "32", "--enforce-eager",
    "--enable-lora", "--max-loras", "4", "--max-lora-rank", "8", "--enable-prompt-tokens-details",
)  # fmt: skip


@pytest.fixture(scope="module")
def url(embedded: Weights, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A vLLM server of the embedded model, which ends with these tests."""
    python = os.environ.get("AUTOACT_VLLM")
    if not python:
        pytest.skip("hardware: a vLLM server takes minutes to start; `make test-server` runs this test")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    log = tmp_path_factory.mktemp("vllm") / "log"
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(embedded.folder), "--port", port]
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, *OPTIONS], env={**os.environ, **SETTINGS}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield wait_for(f"http://127.0.0.1:{port}", server, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> str:
    """Returns the URL when the server answers there."""
    limit = time.monotonic() + START
    while time.monotonic() < limit and server.poll() is None:
        with suppress(httpx2.HTTPError):
            if httpx2.get(f"{url}/health", trust_env=False).status_code == 200:
                return url
        time.sleep(1)
    raise AssertionError(f"vLLM does not answer; its last words: {log.read_text()[-2000:]}")


@pytest.fixture
def engine(url: str, embedded: Weights) -> Iterator[ServerEngine]:
    model = Model(id=str(embedded.folder), engine="server", lanes=8)
    engine = open_engine(Config(model=model, server=Server((url,), timeout=120.0)))
    yield engine
    engine.adapt({})
    engine.close()


class TestVllm(EngineConformance):
    has_chances = False
    tie = 1e-2
    adapter_scale = 0.5
    reuses_from = 2
    both = (" Fidelio.", " Fidelio.\n")

    @pytest.fixture
    def reference(self, embedded: Weights) -> Weights:
        return embedded

    def test_a_rank_that_is_too_large_is_refused_with_the_remedy(
        self, engine: Engine, embedded: Weights, tmp_path: Path
    ) -> None:
        from peft import LoraConfig, get_peft_model

        peft = get_peft_model(embedded.model, LoraConfig(task_type="CAUSAL_LM", r=16, target_modules=["q_proj"]))
        try:
            peft.save_pretrained(str(tmp_path / "plan"))
        finally:
            peft.unload()
        with pytest.raises(BadInput, match=r"rank 16.*start it with --max-lora-rank 16 or more"):
            engine.adapt({"plan": tmp_path / "plan"})

    def test_a_retry_is_answered_while_the_request_that_it_repeats_still_runs(self, engine: Engine) -> None:
        """Both have the same identity."""
        ask, texts = make_ask(make_prompt(), 16), list[str]()
        engine.submit(Ticket("same", 0), ask, 1)
        engine.submit(Ticket("same", 0), ask, 1)
        while len(texts) < 2:
            texts += [answer.text for _, answer in engine.step() if isinstance(answer, Answer)]
        assert len(set(texts)) == 1
