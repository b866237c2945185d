"""Trains the sub-agents' LoRA adapters on the local engine's model; a resumed training gives the same bytes.

`trainer` serves Train requests, `spans` turns trajectories into tokens, `loss` computes the loss, `lora` runs the loop,
and `checkpoint` saves its state. A job opens it through the table of engines; besides, only benchmarks and tests import
it. Begin with `trainer`.
"""
