"""A list of episodes put in order: at once while it is short, else in a thread, so that no key waits for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from textual.widget import Widget

from studio.episodes.episode_list import EpisodeList

MANY = 2_000
"""From so many rows on a thread does it."""
PATIENCE, SHARE = 2.0, 0.05
"""Seconds between doing so at least, and the share of the time that it may take."""


class EpisodeOrder:
    """Calls back with the units in order. What a thread finds for an earlier wish is dropped."""

    def __init__(self, owner: Widget, arrived: Callable[[list[str]], None]):
        """`owner` lends its worker and its timer."""
        self._owner, self._arrived = owner, arrived
        self._due, self._stale = 0.0, False
        """When the list may be put in order again, and whether something has moved since it was."""
        self._wishes = 0
        self._episodes: EpisodeList | None = None

    def drop(self) -> None:
        """Forget the wish at work: the list is another, or gone."""
        self._wishes += 1
        self._due, self._episodes = 0.0, None

    def moved(self, episodes: EpisodeList, *, now: bool = False) -> None:
        """The list has changed: put it in order as soon as that is due, or `now`."""
        self._stale, self._episodes = True, episodes
        if now or time.monotonic() > self._due:
            self._order(episodes)

    def _order(self, episodes: EpisodeList) -> None:
        self._wishes, self._stale = self._wishes + 1, False
        names, wish = episodes.names(), self._wishes
        if len(names) < MANY:
            self._due = 0.0
            self._arrived(episodes.ordered(names))
        else:
            self._due = math.inf
            self._owner.run_worker(lambda: self._in_thread(wish, episodes, names), thread=True, group="order")

    def _in_thread(self, wish: int, episodes: EpisodeList, names: list[str]) -> None:
        begun = time.monotonic()
        units = episodes.ordered(names)
        pause = max(PATIENCE, (time.monotonic() - begun) / SHARE)
        self._owner.app.call_from_thread(self._found, wish, units, pause)

    def _found(self, wish: int, units: list[str], pause: float) -> None:
        if wish == self._wishes:
            self._due = time.monotonic() + pause
            self._owner.set_timer(pause, self._again)
            self._arrived(units)

    def _again(self) -> None:
        if self._stale and self._episodes is not None:
            self._order(self._episodes)
