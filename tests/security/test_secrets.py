"""Secrets come from the environment or a private file, show themselves to nobody, and are found in any text."""

from __future__ import annotations

import base64
import copy
import pickle
import re
import stat
import threading
import traceback
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from autoact.errors import BadInput
from autoact.security.secrets import Secret, Vault

CANARY = 'cnry-7f/9+Q=x&é"z'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "secrets.json"


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("KEY", CANARY)
    texts = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>30}",
        str([secret]),
        str({"k": secret}),
    ]
    assert [text for text in texts if CANARY in text or "(secret KEY)" not in text] == []
    assert secret.reveal() == CANARY
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_the_environment_wins_over_the_file(file: Path) -> None:
    Vault(file, {}).set("TAVILY_API_KEY", "from the file\n")
    assert Vault(file, {}).reveal("TAVILY_API_KEY") == "from the file"
    vault = Vault(file, {"TAVILY_API_KEY": "from outside", "BRAVE_TOKEN": "another", "HOME": "/", "EMPTY_KEY": ""})
    assert vault.reveal("TAVILY_API_KEY") == "from outside"
    assert vault.sources() == {"BRAVE_TOKEN": "environment", "TAVILY_API_KEY": "environment"}
    assert vault.get("EXA_API_KEY") is None
    assert Vault(file, {"TAVILY_API_KEY": ""}).reveal("TAVILY_API_KEY") == "from the file"


def test_two_commands_at_once_lose_no_secret(file: Path) -> None:
    first, second = Vault(file, {}), Vault(file, {})
    for vault in (first, second):
        assert vault.sources() == {}  # both have read the file
    second.set("A_KEY", "value one")
    first.set("B_KEY", "value two")
    assert Vault(file, {}).sources() == {"A_KEY": "file", "B_KEY": "file"}
    assert second.remove("B_KEY")
    assert Vault(file, {}).sources() == {"A_KEY": "file"}

    def keep(name: str) -> None:
        for number in range(10):
            Vault(file, {}).set(f"{name}_{number}", "a value")

    workers = [threading.Thread(target=keep, args=(name,)) for name in ("C", "D")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(Vault(file, {}).sources()) == 21


def test_the_file_belongs_to_its_owner_alone(file: Path) -> None:
    vault = Vault(file, {})
    vault.set("A_KEY", "value one")
    vault.set("B_KEY", "value two")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert vault.sources() == {"A_KEY": "file", "B_KEY": "file"}
    assert (vault.remove("A_KEY"), vault.remove("A_KEY")) == (True, False)
    assert Vault(file, {}).sources() == {"B_KEY": "file"}
    assert [path.name for path in file.parent.iterdir()] == ["secrets.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    Vault(file, {}).set("A_KEY", "value one")
    file.chmod(mode)
    for use in (lambda: Vault(file, {}).get("A_KEY"), lambda: Vault(file, {}).hide("text"), Vault(file, {}).sources):
        with pytest.raises(BadInput, match="others can read these secrets; `chmod 600"):
            use()
    assert Vault(file, {"A_KEY": "outside"}).reveal("A_KEY") == "outside"


@pytest.mark.parametrize("text", ['{"A_KEY": 99887766}', '["cnry-99887766"]', '{"A_KEY": "cnry-99887766', "\udc80cnry"])
def test_a_damaged_file_is_told_without_its_words(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    file.chmod(0o600)
    with pytest.raises(BadInput) as told:
        Vault(file, {}).sources()
    assert "expected {" in str(told.value)
    whole = "".join(traceback.format_exception(told.value))
    assert "99887766" not in whole
    assert "DecodeError" not in whole


@pytest.mark.parametrize(("name", "value"), [("lower", "x" * 9), ("", "x" * 9), ("A B", "x" * 9), ("A_KEY", " short ")])
def test_what_cannot_be_a_secret(file: Path, name: str, value: str) -> None:
    with pytest.raises(BadInput):
        Vault(file, {}).set(name, value)
    assert not file.exists()


FORMS = {
    "plain": CANARY,
    "in a word": f"x{CANARY}y",
    "percent": quote(CANARY),
    "percent, slashes too": quote(CANARY, safe=""),
    "percent, lower case": re.sub("%..", lambda escape: escape[0].lower(), quote(CANARY)),
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(CANARY.encode()).decode(),
    "Basic, one letter before": base64.b64encode(f"a:{CANARY}".encode()).decode(),
    "Basic, two letters before": base64.b64encode(f"me:{CANARY}:".encode()).decode(),
    "Basic, three letters before": base64.b64encode(f"you:{CANARY}::".encode()).decode(),
    "hex": CANARY.encode().hex(),
    "hex, upper case": CANARY.encode().hex().upper(),
    "json": msgspec.json.encode({"error": CANARY}).decode(),
    "repr": repr(ValueError(CANARY)),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_every_form(file: Path, form: str) -> None:
    vault = Vault(file, {"SOME_API_KEY": CANARY})
    hidden = vault.hide(f"failed: {FORMS[form]}!")
    assert "(secret SOME_API_KEY)" in hidden
    assert "7f" not in hidden
    assert hidden.startswith("failed: ")
    assert hidden.endswith("!")


@pytest.mark.parametrize("other", ["", "another-value"])
def test_a_stored_secret_is_hidden_whatever_the_environment_has(file: Path, other: str) -> None:
    Vault(file, {}).set("OPENAI_API_KEY", "stored-value")
    assert Vault(file, {"OPENAI_API_KEY": other}).hide("stored-value") == "(secret OPENAI_API_KEY)"


def test_what_is_hidden_and_what_is_not(file: Path) -> None:
    environment = {
        "MONKEY": "bananas are fine", "PLAIN": "not-yet-secret", "A_TOKEN": "short", "B_KEY": "abcdef",
        "C_KEY": "abcdefgh", "DATABASE_URL": "postgres://me:hunter22@db/x",
        "D_SECRET": "-----BEGIN\nMIIEvQIBADANBgkq\nhkiG9w0BAQEF\n-----END",
    }  # fmt: skip
    vault = Vault(file, environment)
    assert vault.hide("bananas are fine, short, not-yet-secret") == "bananas are fine, short, not-yet-secret"
    assert vault.hide("abcdefgh abcdef") == "(secret C_KEY) (secret B_KEY)"
    assert vault.hide("no hunter22") == "no (secret DATABASE_URL)"
    assert vault.hide("at MIIEvQIBADANBgkq") == "at (secret D_SECRET)"
    vault.get("PLAIN")
    assert vault.hide("not-yet-secret") == "(secret PLAIN)"
    vault.set("KEPT", "kept from now on")
    assert vault.hide("kept from now on") == "(secret KEPT)"
    assert Vault(file.with_name("none"), {}).hide("text") == "text"


def test_a_secret_that_is_asked_for_while_another_thread_hides_is_hidden_afterwards(file: Path) -> None:
    asking = threading.Thread(target=lambda: vault.get("PLAIN"))

    class Environment(dict[str, str]):
        def items(self):  # type: ignore[no-untyped-def]
            yield from super().items()
            if asking.ident is None:
                asking.start()
                asking.join(0.2)  # ends at once where nothing keeps the two apart

    vault = Vault(file, Environment(PLAIN="not like a secret"))
    vault.hide("x")
    asking.join()
    assert vault.hide("not like a secret") == "(secret PLAIN)"
