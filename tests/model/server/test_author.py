"""The author writes the stages that it is given, over chat completions; everything else is the base model's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from conformance import make_prompt

from autoact.errors import BadInput, ModelFailed
from autoact.model.engine import Ticket
from autoact.model.scripted import ScriptedEngine
from autoact.model.server.author import AuthoredEngine, messages, open_author, read_reply
from autoact.model.server.replicas import Patience
from autoact.project.config import Author, Config
from autoact.script import Answer, Ask, Match, Round, Unit


class ChatServer:
    """A server of chat completions whose replies are given; a number is the status of a refusal."""

    def __init__(self) -> None:
        self.replies: list[str | int] = []
        self.asked: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *arguments: Any) -> None:
                """Prints nothing."""

            def do_GET(self) -> None:
                self.answer(200, {"data": [{"id": "large", "owned_by": "acme"}]})

            def do_POST(self) -> None:
                outer.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                reply = outer.replies.pop(0)
                if isinstance(reply, int):
                    return self.answer(reply, {"error": {"message": "not now"}})
                return self.answer(200, {"choices": [{"message": {"content": reply}}]})

            def answer(self, status: int, value: Any) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(value).encode())

        self.listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.listener.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.listener.server_address[1]}"


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.listener.shutdown()
    server.listener.server_close()


@pytest.fixture
def base() -> ScriptedEngine:
    return ScriptedEngine(lambda ask: "from the base")


@pytest.fixture
def engine(chat: ChatServer, base: ScriptedEngine) -> Iterator[AuthoredEngine]:
    """An engine whose author writes the unit `t-1` of synthesis."""
    config = Config(author=Author(chat.url, "large"))
    engine = open_author(config, base, Patience(3, 0.01, 0.01, 9, 0.01))
    assert isinstance(engine, AuthoredEngine)

    def stage() -> Iterator[Any]:
        yield Round([Unit("t-1", lambda: iter(()))])  # type: ignore[arg-type,return-value]

    next(engine.watch("synthesis", stage()))  # type: ignore[arg-type]
    yield engine
    engine.close()


def thought(**fields: Any) -> Ask:
    return Ask("meta", "thought", make_prompt("Who wrote Fidelio?", "Thought:"), **fields)


def answer(engine: AuthoredEngine, ask: Ask, unit: str = "t-1") -> Answer | ModelFailed:
    engine.submit(Ticket(unit, 0), ask, 5)
    while True:
        for _, found in engine.step():
            return found


def test_the_author_writes_its_stages_and_their_forks_and_the_base_the_rest(
    chat: ChatServer, engine: AuthoredEngine
) -> None:
    chat.replies = ["I should look it up.\nAction: Retrieve", "From the fork."]
    said = [answer(engine, thought(), unit) for unit in ("t-1", "t-1~1", "group-1")]
    assert [one.text for one in said if isinstance(one, Answer)] == [
        "I should look it up.", "From the fork.", "from the base",
    ]  # fmt: skip
    assert len(chat.asked) == 2
    assert "Thought:" in chat.asked[0]["messages"][-1]["content"]


def test_a_stage_that_is_not_the_authors_stays_with_the_base(chat: ChatServer, engine: AuthoredEngine) -> None:
    script: Any = iter(())
    assert engine.watch("group_planning", script) is script


def test_a_match_is_the_base_models(chat: ChatServer, engine: AuthoredEngine) -> None:
    ask = Match("meta", "action", make_prompt(), choices=("a",), beginnings=("x",), text="y")
    found = answer(engine, ask)
    assert isinstance(found, Answer)
    assert (found.text, chat.asked) == ("from the base", [])


def test_a_reply_that_is_no_answer_is_asked_for_again_with_another_seed(
    chat: ChatServer, engine: AuthoredEngine
) -> None:
    chat.replies = ["I would say Lookup or Finish.", 503, "finish."]
    found = answer(engine, thought(choices=(" Lookup\n", " Finish\n")))
    assert isinstance(found, Answer)
    assert found.text == " Finish\n"
    assert [body["seed"] for body in chat.asked] == [5, 6, 6]


def test_an_author_that_never_answers_fails_the_unit_with_its_words(chat: ChatServer, engine: AuthoredEngine) -> None:
    chat.replies = ["right", "Right.", "right"]
    found = answer(engine, thought(barred=("right",)))
    assert str(found) == "the author wrote `right`, which is no answer to what it was asked"


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("  Look it up.  ", "Look it up."),
        ("Thought: Look it up.", "Look it up."),
        ("Look it up.\nAction: Finish", "Look it up."),
        ("\n\nLook.", "Look."),
        ("", None),
        ("Right, it is.", None),
        ("Rightly so.", "Rightly so."),
    ],
)
def test_the_answer_in_a_reply(reply: str, text: str | None) -> None:
    assert read_reply(thought(least=1, barred=("right",)), reply) == text


def test_the_conversation_has_the_demonstrations_and_the_text_so_far() -> None:
    prompt = make_prompt("Who wrote Fidelio?", "Thought:", " I look.\n", "Action:")
    ask = Ask("meta", "action", prompt, choices=(" Retrieve\n", " Finish\n"))
    *_, last = messages(ask)
    assert last["role"] == "user"
    assert last["content"].endswith("Options: Retrieve, Finish\n\nThought: I look.\nAction:")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "there"}, r"key `author\.url`: expected a URL"),
        ({"model": ""}, r"key `author\.model`: expected the name of the author's model"),
        ({"model": "other"}, r"key `author\.model`: http.* lists no model `other`"),
        ({"url": "http://127.0.0.1:1"}, r"key `author\.url`: the author does not answer: .*cannot be reached"),
    ],
)
def test_an_author_that_cannot_write_is_refused(
    settings: dict[str, str], message: str, chat: ChatServer, base: ScriptedEngine
) -> None:
    author = Author(**{"url": chat.url, "model": "large", **settings})
    with pytest.raises(BadInput, match=message):
        open_author(Config(author=author), base)


def test_without_an_author_the_engine_stays_as_it_is(base: ScriptedEngine) -> None:
    assert open_author(Config(), base) is base
