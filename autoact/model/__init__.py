"""Engines, which answer the asks of scripts. The local one runs a transformers model with LoRA adapters.

`engine` defines the protocol; `local` implements it, with its caches, tokens, attention masks and sampling in modules
of their own; `store` finds, converts and loads weights; `scripted` answers from a list, in tests. Training imports all
of it, the conductor only `engine`, commands only `store`, and the studio nothing. Begin with `engine`, then `local`.
"""
