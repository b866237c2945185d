"""The gate between an answer and the script that waits for it: where a person's commands take effect."""

from __future__ import annotations

import threading

from autoact.errors import AutoActError


class Cancelled(AutoActError):
    """A person stopped the run; everything answered so far is in the log."""


class Gate:
    """Checked by the conductor between answers. Any thread or signal handler may call `cancel`."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End the run at the next opportunity."""
        self._cancelled.set()

    def check(self) -> None:
        """Raises Cancelled after `cancel`."""
        if self._cancelled.is_set():
            raise Cancelled("stopped by a person")
