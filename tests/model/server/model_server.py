"""A server with the endpoints of vLLM, SGLang or llama.cpp over a small model, which fails as it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache

from autoact.model.store import Weights, load_model


class Broken(Exception):
    """The connection is to be cut."""


class ModelServer:
    """A server on a free port of the loopback address."""

    def __init__(
        self, weights: Weights, dialect: str = "vllm", name: str = "base", port: int = 0, window: int | None = 4096,
        shift: int = 0, key: str = "", max_rank: int = 16, loads: bool = True, pause: float = 0.0, places: int = 999,
        sleeps: bool = False, unknown: int = 404,
    ):  # fmt: skip
        """Takes `shift`, which is added to the ids of `/tokenize`, `pause`, the seconds before each token, and
        `places`, the most sequences that it continues at the same time; other requests wait. Only with `sleeps` it has
        sleep mode. `unknown` is the status of pages that it does not have."""
        self.weights, self.dialect, self.name, self.window, self.shift = weights, dialect, name, window, shift
        self.key, self.max_rank, self.loads, self.pause = key, max_rank, loads, pause
        self.faults: deque[str] = deque()
        """What happens to the next requests for completions, one each."""
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        """Path, body and headers of every POST."""
        self.finished: Counter[str] = Counter()
        """Complete replies by request id."""
        self.adapters: dict[str, Any] = {}
        self.paths: dict[str, str] = {}
        self.seen: list[list[int]] = []
        self.lock, self.places = threading.Lock(), threading.Semaphore(places)
        self.dead = self.asleep = False
        self.sleeps, self.unknown = sleeps, unknown
        self.listener = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (Handler,), {"server_model": self}))
        self.listener.daemon_threads = True
        self.thread = threading.Thread(target=self.listener.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        return int(self.listener.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def completions(self) -> list[dict[str, Any]]:
        """The bodies of the requests for completions, without those of the check before a run."""
        paths = ("/v1/completions", "/completion")
        return [body for path, body, headers in self.asked if path in paths and "X-Request-Id" in headers]

    def kill(self) -> None:
        """Ends it at once, in the middle of its replies."""
        if not self.dead:
            self.dead = True
            self.listener.shutdown()
            self.listener.server_close()

    # -- the model ---------------------------------------------------------------------------------------------------

    def model_of(self, name: str) -> Any:
        if name == self.name:
            return self.weights.model
        return self.adapters.get(name)

    @torch.no_grad()
    def logits(self, model: Any, ids: list[int], cache: DynamicCache) -> torch.Tensor:
        new = torch.tensor([ids[cache.get_seq_length() :]])
        with self.lock:
            found: torch.Tensor = model(input_ids=new, past_key_values=cache).logits[0, -1].float()
        return found

    def generate(self, body: dict[str, Any]) -> Iterator[tuple[int, str]]:
        """The ids of a completion, each with the reason to end after it, if any."""
        model = self.model_of(body.get("model", self.name))
        ids, end = list(body["prompt"]), self.weights.tokenizer.eos_token_id
        stops = {*(body.get("stop_token_ids") or ()), end}
        drawn = torch.Generator().manual_seed(body["seed"])
        limit, cache = body.get("max_tokens") or body["n_predict"], DynamicCache()
        for number in range(limit):
            if self.dead:
                raise Broken
            time.sleep(self.pause)
            logits = self.logits(model, ids, cache)
            for token, bias in dict(body.get("logit_bias") or {}).items():
                logits[int(token)] = -torch.inf if bias is False else logits[int(token)] + bias
            if number < body.get("min_tokens", 0):
                logits[list(stops)] = -torch.inf
            if allowed := body.get("allowed_token_ids"):
                masked = torch.full_like(logits, -torch.inf)
                masked[allowed] = logits[allowed]
                logits = masked
            if body["temperature"] <= 0:
                one = int(logits.argmax())
            else:
                one = int(torch.multinomial((logits / body["temperature"]).softmax(-1), 1, generator=drawn))
            ids.append(one)
            ended = "stop" if one in stops else "length" if number == limit - 1 else ""
            yield one, ended
            if ended:
                return

    def cached(self, ids: list[int]) -> int:
        """Tokens that an earlier request had in common with these."""
        best = 0
        for other in self.seen:
            shared = next((at for at, (a, b) in enumerate(zip(ids, other, strict=False)) if a != b), None)
            best = max(best, min(len(ids), len(other)) if shared is None else shared)
        self.seen.append(ids)
        return min(best, len(ids) - 1)

    def load(self, body: dict[str, Any]) -> tuple[int, Any]:
        from peft import PeftModel

        if self.faults:
            return int(self.faults.popleft()), {"error": {"message": "not now"}}
        if not self.loads:
            return 404, {"detail": "Not Found"}
        folder = Path(body["lora_path"])
        rank = json.loads((folder / "adapter_config.json").read_text())["r"]
        if rank > self.max_rank:
            text = f"LoRA rank {rank} is greater than max_lora_rank {self.max_rank}."
            return 500, {"error": {"message": text}}
        if body["lora_name"] in self.adapters:
            return 400, {"error": {"message": "has already been loaded"}}
        own = load_model(str(self.weights.folder), "cpu", "float32").model
        self.adapters[body["lora_name"]] = PeftModel.from_pretrained(own, str(folder)).eval()
        self.paths[body["lora_name"]] = str(folder)
        return 200, "Success"


class Handler(BaseHTTPRequestHandler):
    """One request. A connection serves one only."""

    server_model: ModelServer

    def log_message(self, format: str, *arguments: Any) -> None:
        """Prints nothing."""

    def handle(self) -> None:
        with suppress(ConnectionError, Broken):
            super().handle()

    def do_GET(self) -> None:
        server = self.server_model
        if server.key and self.headers.get("Authorization") != f"Bearer {server.key}":
            return self.reply(401, {"error": {"message": "who are you?"}})
        if self.path == "/v1/models":
            row = {"id": server.name, "owned_by": server.dialect, "max_model_len": server.window}
            more = [{"id": name, "owned_by": server.dialect, "parent": server.name} for name in server.adapters]
            return self.reply(200, {"data": [row, *more]})
        if self.path == "/is_sleeping" and server.sleeps:
            return self.reply(200, {"is_sleeping": server.asleep})
        if self.path == "/props":
            return self.reply(200, {"default_generation_settings": {"n_ctx": 512}})
        return self.reply(server.unknown, {"detail": "Not Found"})

    def do_POST(self) -> None:
        server = self.server_model
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append((self.path, body, dict(self.headers)))
        match self.path:
            case "/v1/completions" | "/completion":
                self.complete(body)
            case "/tokenize" if server.dialect != "sglang":
                ids = server.weights.tokenizer(body["prompt"], add_special_tokens=False)["input_ids"]
                self.reply(200, {"tokens": [one + server.shift for one in ids]})
            case "/v1/load_lora_adapter" | "/load_lora_adapter":
                self.reply(*server.load(body))
            case "/v1/unload_lora_adapter" | "/unload_lora_adapter":
                server.adapters.pop(body["lora_name"], None)
                self.reply(200, "Success")
            case "/sleep?level=1" | "/wake_up" if server.sleeps:
                self.change_sleep(asleep=self.path != "/wake_up")
            case _:
                self.reply(404, {"detail": "Not Found"})

    def change_sleep(self, *, asleep: bool) -> None:
        server = self.server_model
        if server.faults:
            return self.reply(int(server.faults.popleft()), {"error": {"message": "out of memory"}})
        server.asleep = asleep
        return self.reply(200, "")

    def complete(self, body: dict[str, Any]) -> None:
        server = self.server_model
        fault = server.faults.popleft() if server.faults else ""
        if server.asleep:
            return self.reply(503, {"error": {"message": "asleep"}})
        if server.model_of(body.get("model", server.name)) is None:
            return self.reply(404, {"error": {"message": f"The model `{body['model']}` does not exist."}})
        match fault:
            case "500":
                return self.reply(500, {"error": {"message": "out of memory"}})
            case "429" | "429 for long":
                wait = "60" if fault == "429 for long" else "1"
                return self.reply(429, {"error": {"message": "busy"}}, {"Retry-After": wait})
            case "401" | "400":
                return self.reply(int(fault), {"error": {"message": "no"}})
            case "hang":
                time.sleep(3)
                raise Broken
            case "drop":
                raise Broken
            case "garbage":
                return self.reply(200, "<html>It works!</html>")
        if isinstance(body["prompt"], str):
            count = len(server.weights.tokenizer(body["prompt"])["input_ids"]) + server.shift
            return self.reply(200, {"choices": [], "usage": {"prompt_tokens": count}})
        if isinstance(body["prompt"][0], list):
            return self.score(body)
        with server.places:
            return self.stream(body, fault)

    def score(self, body: dict[str, Any]) -> None:
        rows = []
        for index, ids in enumerate(body["prompt"]):
            scores = self.server_model.logits(
                self.server_model.model_of(body["model"]), ids, DynamicCache()
            ).log_softmax(-1)
            top = {f"token_id:{one}": float(scores[one]) for one in body["logprob_token_ids"]}
            rows.append({"index": index, "text": "", "logprobs": {"top_logprobs": [top]}})
        self.reply(200, {"choices": rows, "usage": {"prompt_tokens": 1}})

    def stream(self, body: dict[str, Any], fault: str) -> None:
        server = self.server_model
        cached = server.cached(list(body["prompt"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        count = len(body["prompt"])
        if server.dialect != "vllm" and ("regex" in body or "grammar" in body):
            text = choice_of(body)
            return self.send_all(body, [([], text, "stop")], count, cached)

        def pieces() -> Iterator[tuple[list[int], str, str]]:
            for number, (one, ended) in enumerate(server.generate(body)):
                if fault == "cut" and number == 2:
                    raise Broken
                if fault == "error" and number == 2:
                    self.event({"error": {"message": "engine died"}})
                    raise Broken
                yield [one], server.weights.tokenizer.decode([one]), ended

        return self.send_all(body, pieces(), count, cached)

    def send_all(self, body: dict[str, Any], pieces: Any, count: int, cached: int) -> None:
        server = self.server_model
        for ids, text, ended in pieces:
            if server.dialect == "llamacpp":
                counts = {"tokens_evaluated": count, "timings": {"prompt_n": count - cached}}
                self.event({"content": text, "tokens": ids, "stop": False, **counts})
                if ended:
                    self.event({"content": "", "tokens": [], "stop": True, **counts})
            else:
                self.event({"choices": [{"index": 0, "text": text, "token_ids": ids, "finish_reason": ended or None}]})
        if identity := self.headers.get("X-Request-Id"):
            server.finished[identity] += 1
        if server.dialect != "llamacpp":
            details = {"cached_tokens": cached}
            self.event({"choices": [], "usage": {"prompt_tokens": count, "prompt_tokens_details": details}})
            self.wfile.write(b"data: [DONE]\n\n")

    def event(self, value: Any) -> None:
        self.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
        self.wfile.flush()

    def reply(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(value, str) else "application/json")
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write((value if isinstance(value, str) else json.dumps(value)).encode())


def choice_of(body: dict[str, Any]) -> str:
    """The choice that a grammar or regular expression allows, by the seed."""
    if "grammar" in body:
        found = [json.loads(one) for one in body["grammar"].removeprefix("root ::= ").split(" | ")]
    else:
        found = [
            one.replace("\\n", "\n").replace("\\ ", " ").replace("\\\n", "\n") for one in body["regex"][1:-1].split("|")
        ]
    return found[body["seed"] % len(found)]
