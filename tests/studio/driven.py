"""A small app for the tests of the driver. By hand: python tests/studio/driven.py ours|stock."""

from __future__ import annotations

import os
import signal
import sys

from hosts import Host
from textual.driver import Driver

from studio.episodes.document import Document, Paragraph
from studio.terminal.driver import StudioDriver
from studio.widgets.transcripts.transcript import Transcript


class Driven(Host):
    """`a` adds a passage, `u` writes something no driver knows, `z` is a stop in the midst of a picture, `q` leaves."""

    BINDINGS = [("a", "add", ""), ("u", "unknown", ""), ("z", "stop", ""), ("q", "quit", "")]

    def action_add(self) -> None:
        view = self.query_one(Transcript)
        view.document.add(Paragraph("tool", "action", f"BingSearch[Woman in Gold {len(view.document)}] 東京"))
        view.draw()

    def action_unknown(self) -> None:
        if self._driver is not None:
            self._driver.write("\x1b[5;5r\x1b[r")

    def action_stop(self) -> None:
        if isinstance(self._driver, StudioDriver):
            with self._driver._lock:
                os.kill(os.getpid(), signal.SIGTSTP)

    def get_driver_class(self) -> type[Driver]:
        return StudioDriver if sys.argv[1] == "ours" else super().get_driver_class()


if __name__ == "__main__":
    told = (
        Paragraph("plan", "thought", f"thought {number} " + "of things that are so " * (number % 9))
        for number in range(90)
    )
    Driven(Transcript(Document(told), paged=False)).run()
