"""Figures of the four sets of trajectories that the authors of the method released, measured by figures.py."""

from __future__ import annotations

from msgspec import Struct


class Reference(Struct, frozen=True):
    """Figures of one released set; see SetFigures for their meaning."""

    name: str
    n: int
    steps: float
    tools: float
    action_entropy: float
    sequences: int
    sequence_entropy: float
    top_sequence: float
    empty_thoughts: float
    invalid_steps: float
    distinct_pairs: float
    self_bleu: float
    opening_share: float
    verdicts: tuple[int, int]
    clean: float


REFERENCES = (
    Reference(
        "13B HotpotQA", 200, 5.63, 1.9, 2.476, 71, 5.114, 0.175, 0.046, 0.226, 0.468, 0.551, 0.124, (192, 8), 0.425
    ),
    Reference(
        "70B HotpotQA", 200, 6.025, 2.27, 2.457, 100, 5.979, 0.075, 0.212, 0.148, 0.634, 0.37, 0.096, (173, 11), 0.335
    ),
    Reference(
        "13B ScienceQA", 200, 5.805, 2.26, 2.549, 58, 4.407, 0.275, 0.022, 0.337, 0.296, 0.77, 0.817, (197, 1), 0.145
    ),
    Reference(
        "70B ScienceQA", 200, 5.445, 2.295, 2.414, 39, 3.692, 0.255, 0.226, 0.186, 0.338, 0.758, 0.68, (237, 15), 0.23
    ),
)
"""All are trajectories with a right answer, of Llama-2-chat of that size."""
