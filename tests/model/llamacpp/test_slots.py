"""Each ask takes the slot in whose cache most of its prompt is, and no unit loses its own to another."""

from __future__ import annotations

import pytest

from autoact.model.llamacpp.slots import CacheSlot, SlotOwner, Slots, last_place, shared_length


def take(slots: Slots, unit: str, ids: list[int], adapter: str = "meta") -> CacheSlot | None:
    """Takes a slot as the engine does, and ends its computation at once."""
    slot = slots.take(SlotOwner(unit, adapter), ids)
    if slot is not None:
        slot.ids, slot.busy = ids, False
    return slot


def test_a_unit_finds_its_own_slot_again_for_each_adapter() -> None:
    slots = Slots(3)
    first = take(slots, "a", [1, 2])
    other = take(slots, "a", [1, 2, 3], "plan")
    take(slots, "b", [9])
    assert take(slots, "a", [7, 7]) is first is not other
    assert take(slots, "a", [8], "plan") is other


def test_a_new_unit_continues_what_an_ended_one_left() -> None:
    slots = Slots(3)
    take(slots, "a", [1, 2, 3, 4])
    ended = take(slots, "b", [5, 6, 7])
    slots.release("b")
    assert take(slots, "c", [5, 6, 8]) is ended


def test_a_cache_of_another_adapter_does_not_count() -> None:
    slots = Slots(2)
    older = take(slots, "a", [1])
    take(slots, "b", [5, 6, 7], "plan")
    slots.release("a")
    slots.release("b")
    assert take(slots, "c", [5, 6, 7], "tool") is older


def test_a_unit_that_waits_for_a_tool_loses_its_slot_only_when_no_other_is_free() -> None:
    slots = Slots(2)
    first, second = take(slots, "a", [1]), take(slots, "b", [1])
    assert take(slots, "c", [1]) is first
    assert take(slots, "d", [1]) is second


def test_an_ask_waits_for_a_slot_that_is_busy() -> None:
    slots = Slots(1)
    slot = slots.take(SlotOwner("a", "meta"), [1])
    assert slot is not None
    assert slots.take(SlotOwner("a", "meta"), [1]) is None
    assert slots.take(SlotOwner("b", "meta"), [1]) is None
    slot.busy = False
    assert slots.take(SlotOwner("b", "meta"), [1]) is slot


@pytest.mark.parametrize(
    ("ids", "part", "place"), [([1, 2, 1, 2, 3], [1, 2], 2), ([1, 2], [1, 2], 0), ([1], [1, 2], None), ([], [1], None)]
)
def test_the_last_place_of_an_invocation(ids: list[int], part: list[int], place: int | None) -> None:
    assert last_place(ids, part) == place


def test_the_length_of_a_common_beginning() -> None:
    assert [shared_length([1, 2, 3], other) for other in ([1, 2], [1, 2, 4, 3], [2], [])] == [2, 2, 0, 0]
