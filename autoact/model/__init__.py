"""Engines, which answer the asks of scripts. The local one runs a transformers model with LoRA adapters.

`engine` defines the protocol; `local` implements it, with its rows of cache, packed passes, adapters, tokens and
sampling in modules of their own; `completion` has the rules that end an answer, for every engine; `store` finds,
converts and loads weights; `scripted` answers from a list, in tests. server/ asks model servers, llamacpp/ runs GGUF
models, memory_plan/ counts what a model needs. Training imports the local engine, the conductor only `engine`, commands
only `store`, `tokens` and memory_plan/, and the studio nothing. Begin with `engine`, then `local`.
"""
