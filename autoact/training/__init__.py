"""Trains the sub-agents' LoRA adapters on the local engine's model; a resumed training gives the same bytes.

`trainer` serves Train requests, `request` is a training as files, `spans` turns trajectories into tokens, `lora` runs
the loop and `checkpoint` saves its state. `loss` computes the loss of an adapter that is active on all tokens, with the
`attention` of several samples in one pass, `alora` that of an activated one; `memory` saves memory when it is short.
`worker` trains in a process of its own, `launch` in several that share each step. A job opens it through the table of
engines; besides, only benchmarks and tests import it. Begin with `trainer`.
"""
