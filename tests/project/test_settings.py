"""The table of settings that forms are made of, and the layers that values come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoact.errors import BadInput, BadProject
from autoact.project import config_file, settings
from autoact.project.config import Config


def test_every_setting_has_a_help_and_a_default_that_can_be_typed() -> None:
    found = settings.all_settings()
    assert len(found) >= 60
    assert [one.key for one in found if not one.help or not one.kind] == []
    typed = {one.key: one.default for one in found if one.default and one.kind not in ("text", "one of its words")}
    assert config_file.override(Config(), {}, BadInput) == Config()
    read = config_file.parse_changes(typed)
    assert all(not isinstance(settings.find_value(read, key), str) for key in typed)


def test_types_units_and_words_come_from_the_definitions() -> None:
    found = {one.key: one for one in settings.all_settings()}
    assert (found["synthesis.samples"].kind, found["synthesis.samples"].unit) == ("whole number from 1", "trajectories")
    assert found["server.timeout"].unit == "seconds"
    assert found["model.precision"].words[0] == "4bit"
    assert found["filtering.grounded"].words == ("true", "false")
    assert found["self_instruct.types.one_hop"].help == "One page has the answer."
    assert "run.base" not in found


def test_the_origin_is_the_last_layer_that_has_the_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults, file = tmp_path / "defaults.toml", tmp_path / "project.toml"
    monkeypatch.setenv("AUTOACT_DEFAULTS", str(defaults))
    defaults.write_text('[model]\nlanes = 6\nseed = 5\n[server]\nurls = ["http://127.0.0.1:8000"]\n')
    file.write_text("[model]\nseed = 3\n[self_instruct]\ntarget = 9\n")
    changes = {"self_instruct.types.one_hop": "2"}
    config = config_file.read(file, preset="quick", changes=changes)
    assert (config.model.lanes, config.model.seed, config.self_instruct.target) == (6, 3, 16)
    assert config.self_instruct.types.one_hop == 2
    origins = settings.find_origins(config_file.read_layers(file, preset="quick", changes=changes))
    assert origins["model.lanes"] == "defaults"
    assert origins["model.seed"] == "project"
    assert origins["self_instruct.target"] == "preset"
    assert origins["self_instruct.types.one_hop"] == "this run"
    assert "synthesis.steps" not in origins


@pytest.mark.parametrize(
    ("text", "said"),
    [("[task]\nname = 'x'\n", "belongs to a project"), ("[model]\nlanes = 0\n", "defaults.toml:2, key `model.lanes`")],
)
def test_wrong_defaults_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    defaults, file = tmp_path / "defaults.toml", tmp_path / "project.toml"
    monkeypatch.setenv("AUTOACT_DEFAULTS", str(defaults))
    defaults.write_text(text)
    file.write_text("")
    with pytest.raises((BadInput, BadProject), match=said):
        config_file.read(file)
