"""An HTTP endpoint asks what the project describes, with the argument and the keys in their places and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autoact.cli import main
from autoact.project.project import create
from autoact.security import grants
from autoact.tools.bridges.http import pick
from autoact.tools.library.library import Library, ToolContext
from autoact.tools.pages.corpus import Corpus

from .web.conftest import Answer, Site, serving, site

__all__ = ["site"]
KEYS = {"RIVER_KEY": "rk-11223344"}


def load(tmp_path: Path, settings: str) -> Library:
    text = f'[[tool]]\nname = "Rivers"\nkind = "http"\ndefinition = "Tells of rivers."\nsettings = {{{settings}}}\n'
    (tmp_path / "tools.toml").write_text(text)

    def hide(text: str) -> str:
        return text.replace(KEYS["RIVER_KEY"], "(secret RIVER_KEY)")

    return Library.load(tmp_path / "tools.toml", ToolContext(Corpus.of_pages(()), secret=KEYS.get, hide=hide))


@pytest.fixture(autouse=True)
def _own_grants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "own" / "secrets.json"))
    grants.allow("RIVER_KEY", site.host)


def asked(library: Library, argument: str = "Rhine") -> tuple[str, bool]:
    seen = library.session().call("Rivers", argument)
    return seen.text, seen.failed


def test_the_argument_and_the_key_are_in_their_places(tmp_path: Path, site: Site) -> None:
    site.answers["/v1/find"] = Answer(b'{"rivers": [{"name": "Rhine", "km": 1233}]}')
    settings = (
        f'url = "{site.url}/v1/find?name={{argument}}&n=1", allow = ["{site.host}"], result = "rivers.0.km", '
        'headers = {Authorization = "Bearer {secret:RIVER_KEY}", X-Name = "{argument}"}'
    )
    library = load(tmp_path, settings)
    (record,) = library.records()
    assert (record.state, record.usage, record.powers) == ("ready", "Rivers[argument]", ("network",))
    assert asked(library, "Rhine & Main/ü\r\nX: y") == ("1233", False)
    (request,) = site.asked
    assert request.path == "/v1/find?name=Rhine%20%26%20Main%2F%C3%BC%20X%3A%20y&n=1"
    assert request.headers["authorization"] == "Bearer rk-11223344"
    assert request.headers["x-name"] == "Rhine & Main/%C3%BC X: y"


def test_a_body_is_json_whatever_the_argument(tmp_path: Path, site: Site) -> None:
    site.answers["/q"] = Answer(b"done", headers={"Content-Type": "text/plain"})
    settings = f"""url = "{site.url}/q", allow = ["127.0.0.1"], method = "POST", body = '{{"q": "{{argument}}"}}'"""
    assert asked(load(tmp_path, settings), 'say "hi" \\') == ("done", False)
    assert site.asked[0].body == b'{"q": "say \\"hi\\" \\\\"}'
    assert site.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("settings", "state", "words"),
    [
        ("", "needs-setting", "it needs settings = {url ="),
        ('url = "ftp://example.org/{argument}"', "needs-setting", "it needs settings"),
        ('url = "http://[/{argument}"', "needs-setting", "it needs settings"),
        ('url = "https://example.org/"', "needs-setting", "no part of the request has the placeholder {argument}"),
        ('url = "https://{argument}.example.org/"', "refused", "choose the host"),
        ('url = "https://example.org/{argument}", method = "TRACE"', "needs-setting", "method is one of GET"),
        ('url = "https://example.org/{argument}?k={secret:NO_KEY}"', "needs-key", "autoact secrets set NO_KEY"),
        ('url = "http://example.org/{argument}?k={secret:RIVER_KEY}"', "refused", "use https"),
        ('url = "https://example.org/{argument}", headers = {cookie = "abc"}', "refused", "{secret:NAME}"),
    ],
)  # fmt: skip
def test_what_keeps_an_endpoint_from_being_asked(tmp_path: Path, settings: str, state: str, words: str) -> None:
    library = load(tmp_path, settings)
    (record,) = library.records()
    assert record.state == state
    assert words in record.reason
    assert asked(library)[0].startswith("Rivers is not ready: ")


@pytest.mark.parametrize(
    ("answer", "result", "words"),
    [
        (Answer(b'{"error": "bad key rk-11223344"}', status=401), "", "the key was not accepted"),
        (Answer(b'{"error": "bad key rk-11223344"}', status=401), "", "(secret RIVER_KEY)"),
        (Answer(b"", status=404), "", "127.0.0.1 answers 404; not found"),
        (Answer(b"<html>", status=418, headers={"Content-Type": "text/html"}), "", "127.0.0.1 answers 418"),
        (Answer(b"{}"), "a.b", "the answer has nothing at `a.b`"),
        (Answer(b"plain"), "a.b", "not JSON"),
        (Answer(b"GIF", headers={"Content-Type": "image/gif"}), "", "sent image/gif where text was expected"),
        (Answer(status=302, headers={"Location": "http://169.254.169.254/"}), "", "which is not public"),
    ],
)  # fmt: skip
def test_every_failure_is_an_observation(tmp_path: Path, site: Site, answer: Answer, result: str, words: str) -> None:
    site.answers["/x"] = answer
    told = f', result = "{result}"' if result else ""
    library = load(
        tmp_path, f'url = "{site.url}/x?q={{argument}}&k={{secret:RIVER_KEY}}", allow = ["{site.host}"]{told}'
    )
    text, failed = asked(library)
    assert failed
    assert text.startswith("Rivers failed: ")
    assert words in text
    assert KEYS["RIVER_KEY"] not in text


# -- secrets and hosts -------------------------------------------------------------------------------------------------

WITH_KEY = 'url = "{url}/x?q={{argument}}", allow = ["{host}"], headers = {{X-Key = "{{secret:RIVER_KEY}}"}}'


@pytest.fixture
def other_site() -> Iterator[Site]:
    with serving() as served:
        yield served


def test_a_changed_host_asks_again(tmp_path: Path, site: Site, other_site: Site) -> None:
    for each in (site, other_site):
        each.answers["/x"] = Answer(b'"deep"')
    assert asked(load(tmp_path, WITH_KEY.format(url=site.url, host=site.host))) == ('"deep"', False)
    moved = load(tmp_path, WITH_KEY.format(url=other_site.url, host=other_site.host))
    assert moved.records()[0].state == "refused"
    assert f"`autoact secrets allow RIVER_KEY {other_site.host}`" in asked(moved)[0]
    assert other_site.asked == []
    grants.allow("RIVER_KEY", other_site.host)
    assert asked(load(tmp_path, WITH_KEY.format(url=other_site.url, host=other_site.host))) == ('"deep"', False)
    assert other_site.asked[0].headers["x-key"] == KEYS["RIVER_KEY"]


def test_what_is_withdrawn_is_not_sent_by_a_library_that_is_open(tmp_path: Path, site: Site) -> None:
    library = load(tmp_path, WITH_KEY.format(url=site.url, host=site.host))
    grants.revoke("RIVER_KEY")
    text, failed = asked(library)
    assert failed
    assert "RIVER_KEY may not be sent to" in text
    assert site.asked == []


def test_a_redirect_takes_no_secret_to_another_host(tmp_path: Path, site: Site, other_site: Site) -> None:
    site.answers["/x"] = Answer(status=302, headers={"Location": f"{other_site.url}/y"})
    other_site.answers["/y"] = Answer(b'"there"')
    settings = WITH_KEY.format(url=site.url, host=f'{site.host}", "{other_site.host}')
    assert asked(load(tmp_path, settings)) == ('"there"', False)
    assert site.asked[0].headers["x-key"] == KEYS["RIVER_KEY"]
    assert KEYS["RIVER_KEY"] not in repr(other_site.asked)


def test_an_imported_tool_sends_a_secret_only_where_a_person_allowed_it(
    tmp_path: Path, site: Site, other_site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RIVER_KEY", KEYS["RIVER_KEY"])
    root = create(tmp_path / "project", "blank").root
    (root / "tools.toml").write_text("")
    settings = WITH_KEY.format(url=other_site.url, host=other_site.host)
    (tmp_path / "set.toml").write_text(f'[[tool]]\nname = "Rivers"\nkind = "http"\nsettings = {{{settings}}}\n')
    imported = ["tools", "import", str(root), str(tmp_path / "set.toml"), "--allow", "all"]
    assert main(imported) == 0
    told = capsys.readouterr().out
    assert f"--allow secret:RIVER_KEY@{other_site.host}" in told
    assert "left out: its setting allow" in told
    assert "enabled = false" in (root / "tools.toml").read_text()
    # Even one who switches it on, and opens the host to it, has not given it the secret.
    text = (root / "tools.toml").read_text().replace("enabled = false", "")
    (root / "tools.toml").write_text(text.replace("url =", f'allow = ["{other_site.host}"]\nurl =', 1))
    assert main(["tools", "try", str(root), "Rivers", "Rhine"]) == 1
    assert f"autoact secrets allow RIVER_KEY {other_site.host}" in capsys.readouterr().out
    assert other_site.asked == []
    # Consent to that name and host is what lets it.
    assert main([*imported, "--replace", f"--allow=secret:RIVER_KEY@{other_site.host}"]) == 0
    assert grants.hosts("RIVER_KEY") == sorted([site.host, other_site.host])


def test_private_hosts_are_closed_unless_the_project_names_them(tmp_path: Path, site: Site) -> None:
    text, failed = asked(load(tmp_path, f'url = "{site.url}/{{argument}}"'))
    assert failed
    assert f'add "{site.host}" to the tool\'s setting `allow`' in text
    assert site.asked == []


@pytest.mark.parametrize("argument", ["../../admin", "..", ".", "%2e%2e/admin", "x?admin=1#", "@evil.example.org"])
def test_the_argument_does_not_leave_its_place(tmp_path: Path, site: Site, argument: str) -> None:
    library = load(tmp_path, f'url = "{site.url}/v1/rivers/{{argument}}/km", allow = ["{site.host}"]')
    asked(library, argument)
    assert [one.path for one in site.asked if not one.path.startswith("/v1/rivers/")] == []
    assert all(one.path.endswith("/km") for one in site.asked)


def test_an_order_is_not_given_twice_unless_nothing_was_done(tmp_path: Path, site: Site) -> None:
    settings = f"""url = "{site.url}/q", allow = ["127.0.0.1"], method = "POST", body = "{{argument}}" """
    site.answers["/q"] = [Answer(status=500), Answer(b"ok")]
    assert asked(load(tmp_path, settings))[1]
    assert len(site.asked) == 1
    site.answers["/q"] = [Answer(status=503, headers={"Retry-After": "0"}), Answer(b"ok")]
    assert asked(load(tmp_path, settings)) == ("ok", False)


@pytest.mark.parametrize(
    ("path", "text"),
    [("a", "1"), ("b.0.c", "x"), ("b.*.c", "x; y"), ("b", '[{"c": "x"}, {"c": "y"}]'), ("n", "null"), ("*.d", "ü")],
)
def test_picked(path: str, text: str) -> None:
    assert pick({"a": 1, "b": [{"c": "x"}, {"c": "y"}], "n": None, "e": {"d": "ü"}}, path) == text
