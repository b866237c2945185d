"""Plays recorded turns with vLLM and three LoRA adapters; bench_engine.py runs it with the Python of AUTOACT_VLLM.

Reads JSON on stdin: the model's folder, its precision, the adapters' folders by name, the number of lanes, and for each
episode its turns: adapter, prompt ids, number of tokens to draw. Prints the CPU seconds of this process and the tokens
that were encoded. vLLM draws its own tokens, as many as recorded; the next prompt has the recorded ones, so it encodes
the few tokens of each answer once more.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ |= {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR", "HF_HUB_OFFLINE": "1",
}  # fmt: skip
from vllm import LLM, SamplingParams  # noqa: E402
from vllm.inputs import TokensPrompt  # noqa: E402
from vllm.lora.request import LoRARequest  # noqa: E402


def main() -> None:
    """Plays all episodes, as many at once as there are lanes."""
    output, sys.stdout = sys.stdout, sys.stderr  # vLLM prints to stdout
    given = json.load(sys.stdin)
    llm = LLM(
        given["model"], dtype=given["precision"], max_model_len=2048, block_size=32, enforce_eager=True,
        enable_lora=True, max_loras=3, max_lora_rank=8, enable_prefix_caching=True, max_num_seqs=given["lanes"],
    )  # fmt: skip
    loras = {name: LoRARequest(name, at, folder) for at, (name, folder) in enumerate(given["adapters"].items(), 1)}
    for name, lora in loras.items():  # loads the adapter
        llm.generate(TokensPrompt(prompt_token_ids=[1, 2, 3]), SamplingParams(max_tokens=1), lora_request=lora)
        assert lora.lora_name == name
    engine, episodes, encoded = llm.llm_engine, given["episodes"], 0

    def submit(number: int, n: int) -> None:
        adapter, ids, count = episodes[number][n]
        drawn = SamplingParams(temperature=0.0, max_tokens=count, min_tokens=count, ignore_eos=True)
        engine.add_request(f"{number}/{n}", TokensPrompt(prompt_token_ids=ids), drawn, lora_request=loras[adapter])

    began, waiting, active = time.process_time(), list(range(len(episodes))), 0
    while waiting or active:
        while waiting and active < given["lanes"]:
            submit(waiting.pop(0), 0)
            active += 1
        for done in engine.step():
            if done.finished:
                number, n = map(int, done.request_id.split("-")[0].split("/"))
                encoded += len(done.prompt_token_ids) - (done.num_cached_tokens or 0)
                if n + 1 < len(episodes[number]):
                    submit(number, n + 1)
                else:
                    active -= 1
    print(json.dumps([time.process_time() - began, encoded]), file=output)


if __name__ == "__main__":
    main()
