"""Figures of the four sets of trajectories that the authors of the method released, measured by figures.py."""

from __future__ import annotations

from autoact.lab.inspection.figures import ReferenceFigures


class Reference(ReferenceFigures, frozen=True):
    """Figures of one released set."""

    name: str
    clean: float
    """The share of trajectories that pass all gates."""


REFERENCES = (
    Reference(
        200, 5.63, 1.9, 2.476, 71, 5.114, 0.175, 0.046, 0.226, 0.468, 0.551, 0.124, (192, 8), "13B HotpotQA", 0.425
    ),
    Reference(
        200, 6.025, 2.27, 2.457, 100, 5.979, 0.075, 0.212, 0.148, 0.634, 0.37, 0.096, (173, 11), "70B HotpotQA", 0.335
    ),
    Reference(
        200, 5.805, 2.26, 2.549, 58, 4.407, 0.275, 0.022, 0.337, 0.296, 0.77, 0.817, (197, 1), "13B ScienceQA", 0.145
    ),
    Reference(
        200, 5.445, 2.295, 2.414, 39, 3.692, 0.255, 0.226, 0.186, 0.338, 0.758, 0.68, (237, 15), "70B ScienceQA", 0.23
    ),
)
"""All are trajectories with a right answer, of Llama-2-chat of that size."""
