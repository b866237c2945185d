"""The name that commands carry."""

from __future__ import annotations

import getpass
import os

import pytest

from autoact.run.control.command import user_name


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found"), OSError("no username set")])
def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def getuser() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", getuser)
    assert user_name() == str(os.getuid())
