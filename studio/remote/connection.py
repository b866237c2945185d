"""The line to another machine: made again when it is lost, with the commands and edits that wait for it."""

from __future__ import annotations

import errno
import hashlib
import re
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count, repeat
from pathlib import Path, PurePosixPath
from typing import Any

import platformdirs

from autoact.errors import AutoActError, BadInput
from autoact.run.control.command import Command
from autoact.run.record.folder import RunFolder
from autoact.security import untrusted_text
from studio.actions.remote_machine import LOST_ANSWER, CliResult, CommandResult, Delivery
from studio.remote import messages
from studio.remote.address import RemoteTarget
from studio.remote.copy import Copy, Edit
from studio.remote.messages import BrokenLine
from studio.remote.ssh import SeveralProjects, Ssh
from studio.runs.machine import MachineLoad

PAUSES = (1.0, 2.0, 5.0)
"""Seconds before each try to connect again; the last one is repeated."""
FIRST_S = 15.0
"""The most seconds for which the studio waits for its first run before it opens."""
EDITS_S, SAVE_S = 0.5, 3.0
"""Seconds between two looks for edits, and the most to wait at the end until they are there."""
LOAD_S, LOST_S = 10.0, 0.5
"""The most seconds to wait for the load of the machine, and between two looks whether the line is lost."""
ENDED = "the studio ended before it was sent"


@dataclass
class Pending:
    """A request without an answer."""

    request: messages.Request
    sent: bool = False
    answer: Future[Any] = field(default_factory=Future)


class Connection:
    """A project on another machine. Its methods may be called from any thread."""

    def __init__(self, address: str):
        """Raises BadInput for an address of another form."""
        self.address, self.target = address, RemoteTarget.parse(address)
        self.run = ""
        """The run that was named; empty without one."""
        self.copy: Copy
        self.lost_at: float | None = None
        """Monotonic seconds; None while there is a line."""
        self._root = ""
        self._ssh: Ssh
        self._reader: threading.Thread
        self._remaining = messages.Remaining(0, 0, 0)
        self._pending: dict[int, Pending] = {}
        self._ids = count(1)
        self._changing = threading.RLock()
        """A lock on the requests and on whether there is a line."""
        self._editing = threading.Lock()
        self._saving: set[str] = set()
        """Files whose edits were sent and not answered yet."""
        self._problem = ""
        """The reason why there is no line, such as a full disk here; empty while there is one."""
        self._notices: list[str] = []
        self._abandoned = False
        """Whether nothing but edits is sent any more."""
        self._closed = threading.Event()
        self._first = threading.Event()
        """Set once the first run is here, also of last time, or all files are."""
        self._told = threading.Event()
        """Set once it is known which runs have a job and are trusted."""

    # -- opening and closing -----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Connects for the first time, and waits for the project's files and the first run.

        Raises SeveralProjects for a folder of projects, and BadInput.
        """
        self._ssh = Ssh(self.target)
        try:
            hello = self._ssh.connect(quiet=False)
        except BrokenLine as error:
            raise BadInput(f"{self.target.host}: {error}", file=self.address) from error
        except SeveralProjects:
            raise
        except BadInput as error:
            raise BadInput(str(error), file=self.address) from error
        self._root, self.run = hello.root, hello.run
        named = hashlib.sha256(f"{self.target.host}:{self.target.port}:{hello.root}".encode()).hexdigest()[:12]
        cache = platformdirs.user_cache_path("autoact") / "remote" / f"{self.target.host}-{named}"
        try:
            self.copy = Copy(cache, PurePosixPath(hello.root).name)
        except OSError as error:
            self._ssh.end()
            raise BadInput(f"the copy cannot be written: {error}", file=cache) from error
        self._begin()
        self._reader = threading.Thread(target=self._serve, name="line", daemon=True)
        self._reader.start()
        threading.Thread(target=self._watch_edits, name="edits", daemon=True).start()
        end = time.monotonic() + FIRST_S
        while not self._first.wait(1.0) and time.monotonic() < end and not self.lost:
            print(untrusted_text.line(self.text), file=sys.stderr, flush=True)
        while not self._told.wait(LOST_S):  # before it, nothing there counts as trusted
            if self.lost:
                self.close()
                raise BadInput(f"{self.target.host}: the line was lost: {self._problem}", file=self.address)

    def abandon(self) -> None:
        """Answers all that waits for the line, so that nothing waits when the studio ends. Edits are still sent."""
        with self._changing:
            self._abandoned = True
            waiting = {number: one for number, one in self._pending.items() if not _is_edit(one.request)}
            for number in waiting:
                del self._pending[number]
        for pending in waiting.values():
            _answer(pending, messages.Failed(0, LOST_ANSWER if pending.sent else ENDED))

    def close(self) -> list[str]:
        """Sends the last edits and ends the line; returns what the person is to know at the end. Call it once."""
        end = time.monotonic() + SAVE_S
        while not self.lost and self._send_edits() and time.monotonic() < end:
            time.sleep(LOST_S / 10)
        self._closed.set()
        self.abandon()
        self._ssh.stop()
        self._reader.join(SAVE_S)  # a program around ssh may keep its output open
        if not self._reader.is_alive():
            self._ssh.end()
        unsent = ", ".join(sorted(edit.file for edit in self._edits()))
        self.copy.close()
        return [*self._notices, *([f"not sent, and kept for the next time: {unsent}"] if unsent else [])]

    def _begin(self) -> None:
        """Tells the machine which files are here, and sends again what has no answer. Raises BrokenLine."""
        self._ssh.write(messages.Present(self.copy.present()))
        with self._changing:
            for number, pending in list(self._pending.items()):
                if pending.sent and isinstance(pending.request, messages.Invoke):  # it may have been done
                    del self._pending[number]
                    _answer(pending, messages.Failed(number, LOST_ANSWER))
                else:
                    pending.sent = True
                    self._ssh.write(pending.request)
            self.lost_at = None

    # -- reading -----------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        """Reads the line until the studio ends, and makes it again whenever it is lost."""
        while not self._closed.is_set():
            try:
                while True:
                    message = self._ssh.read()
                    self._take_safely(message)
                    if isinstance(message, messages.Content | messages.LogPart):
                        self._ssh.write(messages.Received(len(message.data)))
            except (AutoActError, OSError) as error:  # also a full disk here: shown until it is better
                self._reconnect(error)

    def _reconnect(self, error: AutoActError | OSError) -> None:
        with self._changing:
            self.lost_at = time.monotonic()
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            self._problem = untrusted_text.line(str(error))
            self._ssh.end()
            if self._closed.wait(pause):
                return
            try:
                if (root := self._ssh.connect(quiet=True).root) != self._root:
                    raise BadInput(f"the address leads to another project now: {root}")
                self._begin()
            except (AutoActError, OSError) as again:  # tried again, until the studio ends
                error = again
            else:
                self._problem = ""
                return

    def _take_safely(self, message: messages.FromMachine) -> None:
        """Takes over a message. Raises BadInput and OSError for a log, which would then lack lines; about another file
        the person is told."""
        try:
            self._take(message)
        except (BadInput, OSError) as error:
            too_long = isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG
            if isinstance(message, messages.LogPart) and not too_long:
                raise
            if (text := untrusted_text.line(str(error))) not in self._notices:
                self._notices.append(text)

    def _take(self, message: messages.FromMachine) -> None:
        """Takes over what the machine has sent. Raises OSError, BadInput."""
        match message:
            case messages.Content():
                self.copy.put(message)
            case messages.LogPart():
                self.copy.append(message)
            case messages.Gone():
                self.copy.remove(message)
            case messages.StatusUpdate():
                self.copy.set_status(message)
                self._told.set()
            case messages.Remaining():
                self._remaining = message
                wanted = self.run or "*"
                if not message.files or any(self.copy.root.glob(f"runs/{wanted}/run.toml")):
                    self._first.set()
            case messages.Delivered() | messages.Invoked() | messages.Loaded() | messages.Failed():
                with self._changing:
                    pending = self._pending.pop(message.id, None)
                if pending is not None:
                    _answer(pending, message)

    # -- asking ------------------------------------------------------------------------------------------------------

    @property
    def lost(self) -> bool:
        return self.lost_at is not None

    @property
    def lost_since(self) -> float | None:
        """Unix seconds; None while there is a line."""
        lost_at = self.lost_at
        return None if lost_at is None else time.time() - (time.monotonic() - lost_at)

    @property
    def text(self) -> str:
        """The name of the machine, or what is the matter with the line."""
        host, lost_at = self.target.host, self.lost_at
        if lost_at is not None:
            with self._changing:
                waiting = sum(not one.sent for one in self._pending.values())
            waits = f"; {waiting} waiting to be sent" if waiting else ""
            why = f" ({self._problem})" if self._problem else ""
            return f"{host}: line lost for {time.monotonic() - lost_at:.0f} s{waits}{why}"
        if self._remaining.runs:
            return f"{host}: copying {self._remaining.runs} runs, {self._remaining.size / 1e6:.1f} MB"
        return host

    def take_notice(self) -> str:
        """Returns the next text for the person, once; empty without one."""
        return self._notices.pop(0) if self._notices else ""

    def is_trusted(self, folder: Path) -> bool:
        """Returns whether the project or a run of it, by its folder here, is trusted there."""
        return self.copy.is_trusted(folder)

    def deliver(self, folder: RunFolder, commands: Sequence[Command], how: Delivery) -> CommandResult:
        """Sends commands of one kind to the job of a run there; blocks until they are answered, or the line is lost.

        Then they wait, and the answer comes as a notice.
        """
        request = messages.Deliver(next(self._ids), folder.name, tuple(commands), how)
        answer = self._ask(request)
        while not self.lost:
            with suppress(TimeoutError):
                result: CommandResult = answer.result(LOST_S)
                return result
        answer.add_done_callback(lambda done: self._notices.append(done.result().text))
        return CommandResult(True, f"{commands[0].summary}: waits for the line")

    def invoke(self, verb: str, words: Sequence[str], options: Sequence[str]) -> Future[CliResult]:
        """Runs a command of `autoact` there, once all edits that were made here are there."""
        there = [word.replace(str(self.copy.root), self._root) for word in (*words, *options)]
        request = messages.Invoke(next(self._ids), verb, tuple(there[: len(words)]), tuple(there[len(words) :]))
        answer = Future[CliResult]()

        def ask() -> None:
            while self._send_edits() and not self._closed.wait(LOST_S / 10):
                pass
            self._ask(request).add_done_callback(partial(self._translate, answer))

        threading.Thread(target=ask, name="command", daemon=True).start()
        return answer

    def _translate(self, answer: Future[CliResult], done: Future[CliResult | CommandResult]) -> None:
        """Hands on the result of a command with the paths of the copy; does nothing if nobody waits for it."""
        found = done.result()
        result = CliResult(1, "", found.text) if isinstance(found, CommandResult) else found
        root = re.compile(rf"(?<![\w.-]){re.escape(self._root)}(?![\w.-])")
        output, errors = (root.sub(str(self.copy.root), text) for text in (result.output, result.errors))
        if answer.set_running_or_notify_cancel():
            answer.set_result(CliResult(result.code, output, errors))

    def read_load(self) -> MachineLoad | None:
        """Returns the load of the machine; None without an answer in LOAD_S seconds."""
        if self.lost:
            return None
        request = messages.ReadLoad(next(self._ids))
        with suppress(TimeoutError):
            load = self._ask(request).result(LOAD_S)
            return load if isinstance(load, MachineLoad) else None
        self._pending.pop(request.id, None)
        return None

    def _ask(self, request: messages.Request) -> Future[Any]:
        """Sends a request, now or when there is a line again."""
        pending = Pending(request)
        with self._changing:
            if self._abandoned and not _is_edit(request):
                _answer(pending, messages.Failed(request.id, ENDED))
                return pending.answer
            self._pending[request.id] = pending
            if not self.lost:
                pending.sent = True
                self._ssh.write(request)
        return pending.answer

    # -- edits -------------------------------------------------------------------------------------------------------

    def _watch_edits(self) -> None:
        while not self._closed.wait(EDITS_S):
            self._send_edits()
            if not self.lost:
                self._ssh.write(messages.Received(0))

    def _send_edits(self) -> bool:
        """Sends the files that were changed here, each once until it is answered; returns whether there are any."""
        with self._editing:
            edits = self._edits()
            for edit in edits:
                if edit.problem:
                    self._notices.append(edit.problem)
                    self.copy.give_up(edit)
                elif edit.file not in self._saving:
                    self._saving.add(edit.file)
                    answer = self._ask(messages.Save(next(self._ids), edit.file, edit.was, edit.data))
                    answer.add_done_callback(partial(self._end_edit, edit))
            return bool(edits)

    def _edits(self) -> list[Edit]:
        try:
            return list(self.copy.edits())
        except OSError:  # the disk here: the next look sees them
            return []

    def _end_edit(self, edit: Edit, answer: Future[CommandResult]) -> None:
        result = answer.result()
        try:
            if result.accepted:
                self.copy.note_sent(edit)
            else:
                self._notices.append(f"{result.text}; your version is {self.copy.keep_apart(edit)}")
        except OSError as error:
            self._notices.append(f"{edit.file}: {error}")
        finally:
            self._saving.discard(edit.file)


def _is_edit(request: messages.Request) -> bool:
    return isinstance(request, messages.Save)


def _answer(pending: Pending, message: messages.Answer) -> None:
    """Gives a request its answer; a failed one is refused with the reason."""
    if pending.answer.done():  # nobody waits for it any more
        return
    match message:
        case messages.Failed():
            pending.answer.set_result(CommandResult(False, message.why))
        case messages.Loaded():
            pending.answer.set_result(message.load)
        case messages.Delivered() | messages.Invoked():
            pending.answer.set_result(message.result)
