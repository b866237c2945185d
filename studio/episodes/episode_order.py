"""Sorts a list of episodes: at once while it is short, else in a thread, so that no key waits for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from textual.widget import Widget

from studio.episodes.episode_list import EpisodeList

MANY = 2_000
"""Rows from which a thread sorts."""
INTERVAL_S, SHARE = 2.0, 0.05
"""Least seconds between two sorts in a thread, and the share of the time that sorting may take."""


class EpisodeOrder:
    """Calls back with the sorted units. The result of a thread is dropped if another sort was asked for meanwhile."""

    def __init__(self, owner: Widget, on_sorted: Callable[[list[str]], None]):
        """`owner` runs the thread and the timer; `on_sorted` is called in the app's thread."""
        self._owner, self._on_sorted = owner, on_sorted
        self._due, self._stale = 0.0, False
        """When the list may be sorted again, and whether it has changed since the last sort."""
        self._requests = 0
        self._episodes: EpisodeList | None = None

    def cancel(self) -> None:
        """Drops the sort that is going on: the list is replaced or closed."""
        self._requests += 1
        self._due, self._episodes = 0.0, None

    def change(self, episodes: EpisodeList, *, now: bool = False) -> None:
        """Sorts a list that has changed as soon as that is due, or `now`."""
        self._stale, self._episodes = True, episodes
        if now or time.monotonic() > self._due:
            self._order(episodes)

    def _order(self, episodes: EpisodeList) -> None:
        self._requests, self._stale = self._requests + 1, False
        names, request = episodes.names(), self._requests
        if len(names) < MANY:
            self._due = 0.0
            self._on_sorted(episodes.filter_and_sort(names))
        else:
            self._due = math.inf
            self._owner.run_worker(lambda: self._in_thread(request, episodes, names), thread=True, group="order")

    def _in_thread(self, request: int, episodes: EpisodeList, names: list[str]) -> None:
        began = time.monotonic()
        units = episodes.filter_and_sort(names)
        pause = max(INTERVAL_S, (time.monotonic() - began) / SHARE)
        self._owner.app.call_from_thread(self._finish, request, units, pause)

    def _finish(self, request: int, units: list[str], pause: float) -> None:
        if request == self._requests:
            self._due = time.monotonic() + pause
            self._owner.set_timer(pause, self._again)
            self._on_sorted(units)

    def _again(self) -> None:
        if self._stale and self._episodes is not None:
            self._order(self._episodes)
