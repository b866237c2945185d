"""The engine that runs GGUF models with llama.cpp. Begin with `engine`.

`engine` turns asks into requests for one token each and draws the tokens; `server` is llama.cpp's own server in this
process, whose slots are caches; `adapters` writes PEFT adapters as GGUF files.
"""
