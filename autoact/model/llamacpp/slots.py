"""The slots of the server: which ask takes which, so that each finds most of its prompt in the slot's cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from autoact.trajectory import META


class SlotOwner(NamedTuple):
    """A unit, and an adapter that it asks: the server drops a slot's cache when the adapter changes."""

    unit: str
    adapter: str


@dataclass(slots=True)
class CacheSlot:
    """One slot."""

    index: int
    owner: SlotOwner | None = None
    adapter: str = META
    """The adapter that computed its cache."""
    ids: list[int] = field(default_factory=list)
    """The ids whose keys and values it has."""
    branch: int | None = None
    """The place of the first id that an activated adapter computed; None when no such adapter computed any."""
    busy: bool = False
    """True while the server computes for it."""
    used: int = 0
    """The clock when it was last taken."""


class Slots:
    """All slots."""

    def __init__(self, count: int):
        self.all = [CacheSlot(index) for index in range(count)]
        self.clock = 0

    def take(self, owner: SlotOwner, ids: Sequence[int]) -> CacheSlot | None:
        """Returns the slot for an ask with these ids, now busy: the owner's own one, else the best that is free.

        Returns None when it has to wait.
        """
        slot = next((slot for slot in self.all if slot.owner == owner), None)
        if slot is None:
            free = [slot for slot in self.all if not slot.busy]
            slot = max(free, key=lambda slot: self._fitness(slot, owner, ids), default=None)
        if slot is None or slot.busy:
            return None
        self.clock += 1
        if slot.adapter != owner.adapter:
            slot.branch = None  # the server drops the cache, or the base model has computed it
        slot.owner, slot.adapter, slot.busy, slot.used = owner, owner.adapter, True, self.clock
        return slot

    def _fitness(self, slot: CacheSlot, owner: SlotOwner, ids: Sequence[int]) -> tuple[bool, int, int]:
        """Returns what makes a slot better: nobody needs it, it has more of the ids, it was not used for longer."""
        shared = shared_length(slot.ids, ids) if slot.adapter == owner.adapter else 0
        return slot.owner is None, shared, -slot.used

    def release(self, unit: str) -> None:
        """Makes the slots of a unit free for others; what they have in the cache stays."""
        for slot in self.all:
            if slot.owner is not None and slot.owner.unit == unit:
                slot.owner = None


def shared_length(left: Sequence[int], right: Sequence[int]) -> int:
    """Returns the length of the common beginning."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))


def last_place(ids: Sequence[int], part: Sequence[int]) -> int | None:
    """Returns the place where `part` begins for the last time in `ids`; None when it does not occur."""
    places = range(len(ids) - len(part), -1, -1)
    return next((at for at in places if tuple(ids[at : at + len(part)]) == tuple(part)), None)
