"""The line to another machine: made again when it is lost, with the commands and edits that wait for it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count, repeat
from pathlib import PurePosixPath
from typing import Any

import platformdirs

from autoact.errors import AutoActError, BadInput
from autoact.run.control.command import Command
from autoact.run.record.folder import RunFolder
from studio.actions.remote_machine import CliResult, CommandResult, Delivery
from studio.remote import messages
from studio.remote.address import NO_PROGRAM, RemoteTarget
from studio.remote.copy import Copy, Edit
from studio.remote.messages import BrokenLine, Line
from studio.runs.machine import MachineLoad

PAUSES = (1.0, 2.0, 5.0)
"""Seconds before each try to connect again; the last one is repeated."""
FIRST_S = 15.0
"""The most seconds for which the studio waits for its first run before it opens."""
EDITS_S = 0.5
"""Seconds between two looks for edits."""
LOAD_S = 10.0
"""The most seconds to wait for the load of the machine."""
LOST_ANSWER = "the line was lost before the answer came; look before you repeat it"


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
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread
        self._line: Line | None = None
        self._left = messages.Left(0, 0)
        self._pending: dict[int, Pending] = {}
        self._ids = count(1)
        self._changing = threading.RLock()
        """A lock on the line and the requests."""
        self._editing = threading.Lock()
        self._saving: set[str] = set()
        """Files whose edits were sent and not answered yet."""
        self._problem = ""
        """Why the line is not served, such as a full disk here; empty while it is."""
        self._notices: list[str] = []
        self._closed = threading.Event()
        self._copied = threading.Event()
        """Set once the first run is here, or none is there."""

    # -- opening and closing -----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Connects for the first time, and waits for the project's files and the first run. Raises AutoActError."""
        try:
            hello = self._connect(quiet=False)
        except BrokenLine as error:
            missing = self._end_process() == NO_PROGRAM
            why = "its login shell finds no program `studio`" if missing else f"it was not reached: {error}"
            raise BadInput(f"{self.target.host}: {why}", file=self.address) from error
        except AutoActError:
            self._end_process()
            raise
        self._root, self.run = hello.root, hello.run
        cache = platformdirs.user_cache_path("autoact") / "remote"
        named = hashlib.sha256(f"{self.target.host}:{self.target.port}:{hello.root}".encode()).hexdigest()[:12]
        self.copy = Copy(cache / f"{self.target.host}-{named}", PurePosixPath(hello.root).name)
        self._begin()
        self._reader = threading.Thread(target=self._serve, name="line", daemon=True)
        self._reader.start()
        threading.Thread(target=self._watch_edits, name="edits", daemon=True).start()
        end = time.monotonic() + FIRST_S
        while not self._copied.wait(1.0) and time.monotonic() < end and self.lost_at is None:
            print(self.text, file=sys.stderr, flush=True)

    def close(self) -> list[str]:
        """Ends the line; returns the files whose edits were not sent, which are sent the next time. Does nothing the
        second time."""
        if self._closed.is_set():
            return []
        self._closed.set()
        self._stop_process()
        self._reader.join()
        self._end_process()
        unsent = sorted(edit.file for edit in self.copy.edits())
        self.copy.close()
        return unsent

    def _connect(self, *, quiet: bool) -> messages.Hello:
        """Starts ssh and reads the greeting. Raises BrokenLine, and BadInput when the project is not served; the
        process is then still to be ended."""
        self._process = subprocess.Popen(
            self.target.command(quiet=quiet), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None, start_new_session=quiet,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        messages.skip_noise(self._process.stdout)
        line = Line(self._process.stdout, self._process.stdin)
        hello = line.read_from_machine()
        if isinstance(hello, messages.Refusal):
            raise BadInput(hello.why, file=self.address)
        if not isinstance(hello, messages.Hello) or hello.protocol != messages.PROTOCOL:
            there = f" {hello.version}" if isinstance(hello, messages.Hello) else ""
            raise BadInput(f"the studio there{there} has another version than this one", file=self.address)
        self._line = line
        return hello

    def _begin(self) -> None:
        """Tells the machine which files are here, and sends again what has no answer."""
        assert self._line is not None
        self._line.write(messages.Known(self.copy.known()))
        with self._changing:
            for number, pending in list(self._pending.items()):
                if pending.sent and isinstance(pending.request, messages.Invoke):  # it may have been done
                    del self._pending[number]
                    pending.answer.set_result(CliResult(1, "", LOST_ANSWER))
                else:
                    pending.sent = True
                    self._line.write(pending.request)
            self.lost_at = None

    def _end_process(self) -> int:
        """Ends ssh; returns its exit code. Only the thread that reads the line may do so, or one that has none."""
        if self._process is None:
            return 0
        code = self._stop_process()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code

    def _stop_process(self) -> int:
        assert self._process is not None
        if self._process.stdin is not None:
            with suppress(OSError):  # what was left in its buffer
                self._process.stdin.close()
        try:
            return self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        """Reads the line until the studio ends, and makes it again whenever it is lost."""
        while not self._closed.is_set():
            try:
                assert self._line is not None
                while True:
                    message = self._line.read_from_machine()
                    self._take(message)
                    if isinstance(message, messages.Content | messages.Lines):
                        self._line.write(messages.Received(len(message.data)))
            except (AutoActError, OSError) as error:  # also a full disk here: shown until it is better
                if not self._closed.is_set():
                    self._problem = "" if isinstance(error, BrokenLine) else str(error)
                    self._reconnect()

    def _reconnect(self) -> None:
        with self._changing:
            self.lost_at = time.monotonic()
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            self._end_process()
            if self._closed.wait(pause):
                return
            try:
                self._connect(quiet=True)
                self._begin()
            except (AutoActError, OSError) as error:  # tried again, until the studio ends
                self._problem = "" if isinstance(error, BrokenLine) else str(error)
            else:
                return

    def _take(self, message: messages.FromMachine) -> None:
        """Takes over what the machine has sent. Raises OSError, BadInput."""
        match message:
            case messages.Content():
                self.copy.put(message)
            case messages.Lines():
                self.copy.append(message)
            case messages.Gone():
                self.copy.remove(message)
            case messages.Status():
                self.copy.set_status(message)
            case messages.Left():
                self._left, self._problem = message, ""
                if not message.runs or any(self.copy.root.glob("runs/*/run.toml")):
                    self._copied.set()
            case messages.Delivered() | messages.Invoked():
                self._resolve(message.id, message.result)
            case messages.Loaded():
                self._resolve(message.id, message.load)

    def _resolve(self, number: int, result: object) -> None:
        with self._changing:
            pending = self._pending.pop(number, None)
        if pending is not None and not pending.answer.done():  # done: cancelled with its screen
            pending.answer.set_result(result)

    # -- asking ------------------------------------------------------------------------------------------------------

    @property
    def lost(self) -> bool:
        return self.lost_at is not None

    @property
    def text(self) -> str:
        """The name of the machine, or what is the matter with the line."""
        host, waiting = self.target.host, len(self._pending)
        if self.lost_at is not None:
            waits = f"; {waiting} waiting to be sent" if waiting else ""
            return f"{host}: line lost for {time.monotonic() - self.lost_at:.0f} s{waits}"
        if self._problem:
            return f"{host}: {self._problem}"
        if self._left.runs:
            return f"{host}: copying {self._left.runs} runs, {self._left.size / 1e6:.1f} MB"
        return host

    def take_notice(self) -> str:
        """Returns the next text for the person, once; empty without one."""
        return self._notices.pop(0) if self._notices else ""

    def deliver(self, folder: RunFolder, commands: Sequence[Command], how: Delivery) -> CommandResult:
        """Sends commands of one kind to the job of a run there; blocks until they are answered."""
        request = messages.Deliver(next(self._ids), folder.name, tuple(commands), how)
        result: CommandResult = self._ask(request).result()
        return result

    def invoke(self, verb: str, words: Sequence[str], options: Sequence[str]) -> Future[CliResult]:
        """Runs a command of `autoact` there, after the edits that were made here."""
        self._send_edits()

        def there(text: str) -> str:
            return text.replace(str(self.copy.root), self._root)

        def here(text: str) -> str:
            return text.replace(self._root, str(self.copy.root))

        request = messages.Invoke(next(self._ids), verb, tuple(map(there, words)), tuple(map(there, options)))
        asked, answer = self._ask(request), Future[CliResult]()

        def translate(done: Future[CliResult]) -> None:
            if not answer.cancelled():
                found = done.result()
                output, errors = (
                    text.replace(self._root, str(self.copy.root)) for text in (found.output, found.errors)
                )
                answer.set_result(CliResult(found.code, output, errors))

        asked.add_done_callback(translate)
        return answer

    def read_load(self) -> MachineLoad | None:
        """Returns the load of the machine; None without an answer in a few seconds."""
        if self.lost:
            return None
        request = messages.ReadLoad(next(self._ids))
        with suppress(TimeoutError):
            load: MachineLoad = self._ask(request).result(LOAD_S)
            return load
        self._pending.pop(request.id, None)
        return None

    def _ask(self, request: messages.Request) -> Future[Any]:
        """Sends a request, now or when there is a line again."""
        with self._changing:
            pending = self._pending[request.id] = Pending(request)
            if self._line is not None and not self.lost:
                pending.sent = True
                with suppress(BrokenLine):  # the reader finds it lost too, and sends this again
                    self._line.write(request)
        return pending.answer

    # -- edits -------------------------------------------------------------------------------------------------------

    def _watch_edits(self) -> None:
        while not self._closed.wait(EDITS_S):
            self._send_edits()

    def _send_edits(self) -> None:
        """Sends the files that were changed here, each once until it is answered."""
        with self._editing:
            for edit in self._new_edits():
                self._saving.add(edit.file)
                answer = self._ask(messages.Save(next(self._ids), edit.file, edit.was, edit.data))
                answer.add_done_callback(partial(self._end_edit, edit))

    def _new_edits(self) -> Iterator[Edit]:
        with suppress(OSError):  # the disk here: the next look sees it
            yield from [edit for edit in self.copy.edits() if edit.file not in self._saving]

    def _end_edit(self, edit: Edit, answer: Future[CommandResult]) -> None:
        result = answer.result()
        if result.accepted:
            self.copy.note_sent(edit)
        else:
            apart = self.copy.keep_apart(edit)
            self._notices.append(f"{result.text}; your version is {apart}")
        self._saving.discard(edit.file)
